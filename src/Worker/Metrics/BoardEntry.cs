using Archiver.Core.Settings;
using Archiver.Core.Status;

namespace Archiver.Worker.Metrics;

/// <summary>What is known of one source.</summary>
/// <param name="Status">Null when it could not be read, and <paramref name="Problem"/> says why.</param>
/// <param name="ReadAt">When that was.</param>
internal sealed record BoardEntry(SourceSettings Source, SourceStatus? Status, string? Problem, DateTimeOffset ReadAt);

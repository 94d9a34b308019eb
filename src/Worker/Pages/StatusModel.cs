using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Worker.Metrics;

namespace Archiver.Worker.Pages;

/// <summary>What the status page shows.</summary>
/// <param name="Notice">What was just done, or null.</param>
internal sealed record StatusModel(IReadOnlyList<SourceModel> Sources, string? Notice);

/// <summary>One source on the status page.</summary>
internal sealed record SourceModel(BoardEntry Entry, IReadOnlyList<FailedSession> Failed, IReadOnlyList<ListedHold> Holds);

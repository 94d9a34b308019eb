using Archiver.Core.Ledger;

namespace Archiver.Worker.Pages;

/// <summary>What the search page shows.</summary>
/// <param name="Query">What was searched for, or null before the first search.</param>
/// <param name="Found">Archives whose session or user has exactly that id.</param>
/// <param name="More">Whether there are more than are shown.</param>
/// <param name="Live">Names of the sources whose tables hold a session with that id now.</param>
internal sealed record SearchModel(string? Query, IReadOnlyList<(string Source, ListedArchive Archive)> Found, bool More, IReadOnlyList<string> Live);

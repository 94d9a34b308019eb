namespace Archiver.Core.Ledger;

/// <summary>
/// Which of a session's archives is the newest: the one whose rows were read last. Generations count within one life of the ledger; after a
/// restored backup the bucket holds higher ones of the time that was given up, older than what was archived since.
/// </summary>
internal static class ArchiveOrder
{
    /// <summary>SQL: whether one row of <c>archiver.archives</c> is newer than another of the same session.</summary>
    public static string IsNewer(string one, string other) =>
        $"({one}.exported_at, {one}.generation) > ({other}.exported_at, {other}.generation)";

    /// <summary>SQL for ORDER BY: the newest first.</summary>
    public static string NewestFirst(string archive) => $"{archive}.exported_at DESC, {archive}.generation DESC";
}

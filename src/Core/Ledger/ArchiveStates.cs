namespace Archiver.Core.Ledger;

/// <summary>The states of an archive, as the ledger writes them.</summary>
internal static class ArchiveStates
{
    public static IReadOnlyList<string> All { get; } =
    ["stored", "archived", "restored", "superseded", "abandoned", "discarded", "erased", "unknown"];

    /// <summary>Whether the store still has its document.</summary>
    public static bool IsReadable(string state) => state is not ("abandoned" or "discarded" or "erased");
}

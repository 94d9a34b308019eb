namespace Archiver.Core.Ledger;

/// <summary>The states of an archive, as the ledger writes them.</summary>
internal static class ArchiveStates
{
    public static IReadOnlyList<string> All { get; } =
    ["stored", "archived", "restored", "superseded", "abandoned", "discarded", "erased", "unknown"];

    /// <summary>SQL of the states in which <see cref="IsReadable"/>, to stand behind <c>IN</c>.</summary>
    public const string Readable = "('stored', 'archived', 'restored', 'superseded', 'unknown')";

    /// <summary>Whether the store still has its document.</summary>
    public static bool IsReadable(string state) => state is not ("abandoned" or "discarded" or "erased");
}

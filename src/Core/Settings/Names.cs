namespace Archiver.Core.Settings;

/// <summary>Names that the user chooses for sources, policies and children.</summary>
internal static class Names
{
    /// <summary>A source's or policy's name as the ledger has it: they compare without case, like all keys of the configuration.</summary>
    public static string Canonical(string name) => name.ToLowerInvariant();

    /// <summary>Whether two spellings are one name.</summary>
    public static bool Same(string a, string b) => Canonical(a) == Canonical(b);

    /// <summary>What is wrong with a name, or null. A slash would make <c>source/policy</c> ambiguous.</summary>
    public static string? Limit(string name) =>
        string.IsNullOrWhiteSpace(name) || name != name.Trim() || name.Any(c => c == '/' || char.IsControl(c))
            ? "is not a name: no slash, no control character, no blank at its ends"
            : null;
}

namespace Archiver.Core.Configuration;

/// <summary>Names that the user chooses for sources, policies and children.</summary>
internal static class Names
{
    /// <summary>What is wrong with a name, or null. A slash would make <c>source/policy</c> ambiguous.</summary>
    public static string? Limit(string name) =>
        string.IsNullOrWhiteSpace(name) || name != name.Trim() || name.Any(c => c == '/' || char.IsControl(c))
            ? "is not a name: no slash, no control character, no blank at its ends"
            : null;
}

namespace Archiver.Core.Storage;

/// <summary>A rule of the bucket's own by which it removes objects, whatever the ledger says.</summary>
/// <param name="Name">Its id, for people.</param>
/// <param name="Prefix">Keys that it is about; empty for all.</param>
/// <param name="After">Age at which it removes an object; null for a fixed date.</param>
public sealed record ExpiryRule(string Name, string Prefix, TimeSpan? After)
{
    /// <summary>Whether some object under the folder <paramref name="folder"/> is one of its own.</summary>
    public bool Covers(string folder) =>
        $"{folder}/".StartsWith(Prefix, StringComparison.Ordinal) || Prefix.StartsWith($"{folder}/", StringComparison.Ordinal);
}

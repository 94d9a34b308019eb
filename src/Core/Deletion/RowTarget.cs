using Archiver.Core.Export;
using Archiver.Core.Verification;

namespace Archiver.Core.Deletion;

/// <summary>A session whose rows are to be deleted, and exactly which row versions these are.</summary>
internal sealed class RowTarget
{
    private RowTarget(string key, IReadOnlyDictionary<string, Fingerprint> fingerprints)
    {
        Key = key;
        Fingerprints = fingerprints;
    }

    /// <summary>The session key as text.</summary>
    public string Key { get; }

    /// <summary>By table name, of every table that loses rows.</summary>
    public IReadOnlyDictionary<string, Fingerprint> Fingerprints { get; }

    public static RowTarget Of(VerifiedSession session) => new(session.Key, session.Session.Fingerprints);

    /// <summary>
    /// Rows that are deleted without a copy, which only a purge and an erasure may do: by name, and audited. A test holds that nobody else
    /// calls this.
    /// </summary>
    /// <param name="locked">By session key, the versions that this transaction has locked; sessions without rows are left out.</param>
    public static IReadOnlyList<RowTarget> WithoutCopy(IEnumerable<KeyValuePair<string, Dictionary<string, Fingerprint>>> locked) =>
        [.. locked.Where(s => s.Value.Values.Any(f => f.Rows > 0)).Select(s => new RowTarget(s.Key, s.Value))];
}

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
    /// <param name="key">The session key as text.</param>
    /// <param name="locked">The versions that this transaction has locked.</param>
    public static RowTarget WithoutCopy(string key, IReadOnlyDictionary<string, Fingerprint> locked) => new(key, locked);
}

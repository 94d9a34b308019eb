namespace Archiver.Core.Storage;

/// <summary>An object as the ledger names it: the key, and the version where the bucket keeps versions.</summary>
/// <param name="Key">The key, without the bucket.</param>
/// <param name="VersionId">The version that reads must name, or null in a bucket without versions.</param>
public sealed record ObjectName(string Key, string? VersionId = null)
{
    /// <summary>
    /// For a store of folders: whether something was stored in the key's folder, as far as the ledger knows. True: a read takes a folder
    /// that is missing for one that is away. False: a removal takes it for one that was never made. Null where nobody asked the ledger.
    /// </summary>
    public bool? IsFolderKnown { get; init; }
}

/// <summary>What the store says of an object.</summary>
public sealed record ObjectHead(ObjectName Name, long Length, IReadOnlyDictionary<string, string> Metadata, DateTimeOffset LastModified);

/// <summary>One entry of a listing.</summary>
public sealed record ListedObject(string Key, long Length, DateTimeOffset LastModified);

/// <summary>A key with everything that the store keeps under it.</summary>
/// <param name="Key">The key.</param>
/// <param name="Versions">Newest first; at least one. One without an id where the store keeps no versions.</param>
public sealed record ListedVersions(string Key, IReadOnlyList<ListedVersion> Versions)
{
    /// <summary>The versions that hold bytes, newest first; none where nothing but delete markers is left.</summary>
    public IEnumerable<ObjectName> Objects =>
        Versions
            .Select((v, i) => (Version: v, IsCurrent: i == 0))
            .Where(v => !v.Version.IsDeleteMarker)
            // What bears no id is read by its key alone, as long as nothing is above it.
            .Select(v => new ObjectName(Key, v.IsCurrent && v.Version.VersionId is "null" ? null : v.Version.VersionId));

    /// <summary>Whether a delete marker hides the versions below it from whoever does not name one.</summary>
    public bool IsHidden => Versions[0].IsDeleteMarker;
}

/// <summary>One version of a key.</summary>
/// <param name="VersionId">As the store names it, also <c>null</c> as a word for what was stored before the bucket kept versions.</param>
/// <param name="IsDeleteMarker">It holds no bytes and says that the key was deleted.</param>
/// <param name="Length">Bytes.</param>
/// <param name="LastModified">When it was stored, or deleted.</param>
public sealed record ListedVersion(string? VersionId, bool IsDeleteMarker, long Length, DateTimeOffset LastModified);

using System.Runtime.CompilerServices;
using Archiver.Core.Diagnostics;
using Archiver.Core.Storage.S3;

namespace Archiver.Core.Storage;

/// <summary>
/// What a store holds, also behind delete markers: who lists current objects only takes an archive for lost that is one request away. Where
/// versions cannot be listed it makes do with the current ones and says so.
/// </summary>
internal sealed class AllObjects(IArchiveReader store)
{
    /// <summary>Why versions were not looked at, or null.</summary>
    public string? Limitation { get; private set; }

    /// <summary>Whether any key was listed.</summary>
    public bool HasSeen { get; private set; }

    /// <summary>All keys under a prefix that hold bytes, in key order.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses to list at all.</exception>
    public async IAsyncEnumerable<ListedVersions> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var versions = store.ListVersionsAsync(prefix, cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using var _ = versions;
        var any = await BeginAsync(versions);
        for (; any == true; any = await versions.MoveNextAsync())
        {
            HasSeen = true;
            if (versions.Current.Objects.Any())
                yield return versions.Current;
        }
        if (any is not null)
            yield break;
        await foreach (var listed in store.ListAsync(prefix, cancellationToken))
        {
            HasSeen = true;
            yield return new(listed.Key, [new(null, false, listed.Length, listed.LastModified)]);
        }
    }

    /// <summary>
    /// What is left of an object, the version that its name gives first; empty only when it was asked for and is absent in every version.
    /// </summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<IReadOnlyList<ObjectName>> FindAsync(ObjectName name, CancellationToken cancellationToken)
    {
        List<ObjectName> found = [];
        foreach (var asked in new[] { name, new ObjectName(name.Key) }.Distinct())
        {
            if (await store.HeadAsync(asked, cancellationToken) is { } head)
                found.Add(head.Name);
        }
        return [.. found.Concat(await VersionsAsync(name.Key, cancellationToken)).Distinct()];
    }

    /// <summary>The versions of a key that are listed and hold bytes; none where versions cannot be listed.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<IEnumerable<ObjectName>> VersionsAsync(string key, CancellationToken cancellationToken)
    {
        // The prefix also finds 'key~2'; the key itself comes first.
        await foreach (var listed in ListAsync(key, cancellationToken))
            return listed.Key == key && Limitation is null ? listed.Objects : [];
        return [];
    }

    /// <summary>The versions of an object that are left although the one that its name gives cannot be read.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<IReadOnlyList<ObjectName>> FindOthersAsync(ObjectName name, CancellationToken cancellationToken) =>
        [.. (await FindAsync(name, cancellationToken)).Where(n => n != name)];

    /// <summary>What to say of an object that cannot be read although versions of its key are left.</summary>
    public static string Describe(IArchiveReader store, ObjectName name, IReadOnlyList<ObjectName> left) =>
        name.VersionId is null
            ? $"it is not lost: {left.Count} of its versions in {store.Location} are left, such as {left[0].VersionId}, and cannot be read "
                + "under its name; remove the delete marker"
            : $"the version that was archived is gone from {store.Location}; {left.Count} other of its key left, such as "
                + $"{left[0].VersionId ?? "the current one"}, which may or may not hold it";

    /// <summary>Null when the store refuses to list versions.</summary>
    private async Task<bool?> BeginAsync(IAsyncEnumerator<ListedVersions> versions)
    {
        try
        {
            return await versions.MoveNextAsync();
        }
        catch (StorageException exception) when (exception.Failure == StorageFailure.Permanent && S3Errors.IsAnswer(exception))
        {
            Limitation ??=
                "versions cannot be listed (permission s3:ListBucketVersions, or the server lacks the request), so nothing "
                + $"behind a delete marker was seen: {exception.Message}";
            return null;
        }
    }
}

namespace Archiver.Core.Storage;

/// <summary>What is asked of a store about a single object.</summary>
public static class ArchiveStoreExtensions
{
    /// <summary>Removes every version and delete marker of the key and confirms that it is absent. Runs never call this.</summary>
    /// <exception cref="StorageException">Something is still there (object lock, permission) or the store did not answer.</exception>
    public static async Task DeleteAllVersionsAsync(this IArchiveStore store, ObjectName name, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(name);
        var outcome = await store.DeleteAllVersionsAsync([name], cancellationToken).ConfigureAwait(false);
        if (outcome.Failures.TryGetValue(name.Key, out var failure))
            throw failure;
    }

    /// <summary>
    /// What is left of an object: the version that the name gives first, then all others, newest first. Empty only when the version and the key
    /// were asked for and are absent, and no version is listed: a delete marker, or a listing alone, says of no object that it is gone.
    /// </summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public static async Task<IReadOnlyList<ObjectName>> FindVersionsAsync(this IArchiveReader store, ObjectName name, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(name);
        List<ObjectName> found = [];
        foreach (var asked in new[] { name, new ObjectName(name.Key) }.Distinct())
        {
            if (await store.HeadAsync(asked, cancellationToken).ConfigureAwait(false) is { } head)
                found.Add(head.Name);
        }
        await foreach (var listed in store.ListVersionsAsync(name.Key, cancellationToken).ConfigureAwait(false))
        {
            // The prefix also finds 'key~2'.
            if (listed.Key == name.Key)
                found.AddRange(listed.Objects);
        }
        return [.. found.DistinctBy(f => f.VersionId is null or "null" ? null : f.VersionId)];
    }
}

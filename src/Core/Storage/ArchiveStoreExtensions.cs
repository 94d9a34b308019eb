namespace Archiver.Core.Storage;

/// <summary>Removal of a single object.</summary>
public static class ArchiveStoreExtensions
{
    /// <summary>Removes every version and delete marker of the key and confirms that it is absent. Runs never call this.</summary>
    /// <exception cref="StorageException">Something is still there (object lock, permission) or the store did not answer.</exception>
    public static async Task DeleteAllVersionsAsync(this IArchiveStore store, string key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        var outcome = await store.DeleteAllVersionsAsync([key], cancellationToken).ConfigureAwait(false);
        if (outcome.Failures.TryGetValue(key, out var failure))
            throw failure;
    }
}

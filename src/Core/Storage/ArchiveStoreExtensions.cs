using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage;

/// <summary>Removal of a single object.</summary>
public static class ArchiveStoreExtensions
{
    /// <summary>Removes every version and delete marker of the key and confirms that it is absent. Runs never call this.</summary>
    /// <exception cref="StorageException">Something is still there (object lock, permission) or the store did not answer.</exception>
    public static async Task DeleteAllVersionsAsync(this IArchiveStore store, ObjectName name, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(name);
        var outcome = await store.DeleteAllVersionsAsync([name], cancellationToken);
        if (outcome.Failures.TryGetValue(name.Key, out var failure))
            throw failure;
    }
}

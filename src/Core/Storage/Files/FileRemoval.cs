using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage.Files;

/// <summary>The removal of <see cref="FileArchiveStore"/>.</summary>
internal sealed class FileRemoval(string root, FileErrors errors)
{
    public RemovalOutcome Remove(IEnumerable<ObjectName> names, CancellationToken cancellationToken)
    {
        Dictionary<string, StorageException> failures = new(StringComparer.Ordinal);
        foreach (var key in names.Select(n => n.Key).Distinct(StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                errors.RequireRoot();
                Remove(key);
            }
            catch (Exception e) when ((e as StorageException ?? errors.Translate(e)) is { } failure)
            {
                failures[key] = failure;
            }
        }
        return new(failures, failures.Values.FirstOrDefault(f => f.Failure == StorageFailure.Transient));
    }

    /// <summary>Removes an object, its metadata and what interrupted puts left of it; returns when all of it is gone.</summary>
    /// <exception cref="StorageException">It is there again, or the folder does not say whether it is gone.</exception>
    private void Remove(string key)
    {
        var at = new FileKey(root, key);
        if (!Directory.Exists(at.Folder))
        {
            // In the mount point of a disk that is away nothing is left of any object.
            if (!Directory.EnumerateFileSystemEntries(root).Any())
                throw new StorageException(
                    StorageFailure.Permanent,
                    $"The folder '{root}' (Archiver:Storage:Path) is empty, so it does not say that '{key}' is gone. Is its disk mounted?"
                );
            return;
        }
        // The object first: a claim without object is harmless, an object without its metadata belongs to nobody.
        File.Delete(at.Object);
        File.Delete(at.Metadata);
        foreach (var left in at.Temporaries())
            File.Delete(left);
        PosixFile.SyncFolder(at.Folder);
        if (File.Exists(at.Object))
            throw new StorageException(StorageFailure.Transient, $"'{key}' was removed and is there again.");
    }
}

using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage.Files;

/// <summary>The removal of <see cref="FileArchiveStore"/>.</summary>
internal sealed class FileRemoval(string root, FileErrors errors, Func<string, bool> isThere)
{
    public RemovalOutcome Remove(IEnumerable<ObjectName> names, CancellationToken cancellationToken)
    {
        Dictionary<string, StorageException> failures = new(StringComparer.Ordinal);
        foreach (var name in names.DistinctBy(n => n.Key, StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                errors.RequireRoot();
                Remove(name);
            }
            catch (Exception e) when ((e as StorageException ?? errors.Translate(e)) is { } failure)
            {
                failures[name.Key] = failure;
            }
        }
        return new(failures, failures.Values.FirstOrDefault(f => f.Failure == StorageFailure.Transient));
    }

    /// <summary>Removes an object, its metadata and what interrupted puts left of it; returns when all of it is gone.</summary>
    /// <exception cref="StorageException">It is there again, or the folder does not say whether it is gone.</exception>
    private void Remove(ObjectName name)
    {
        var at = new FileKey(root, name.Key);
        var lowest = PosixFile.Lowest(at.Object);
        if (lowest != at.Object && lowest != at.Folder)
        {
            RequireNeverMade(name, at, lowest);
            return;
        }
        var files = at.Files();
        foreach (var path in (string[])[at.Object, at.Metadata])
        {
            if (!files.Contains(path) && isThere(path))
                throw new StorageException(
                    StorageFailure.Permanent,
                    $"'{path}' is another file's name, such as one in other case: it may be another session's and was not removed."
                );
        }
        if (new FileInfo(at.Object).LinkTarget is { } target)
            throw new StorageException(
                StorageFailure.Permanent,
                $"'{at.Object}' is a link: only the link would go, and '{target}' would stay. Put the file in its place."
            );
        // The object first: a claim without object is harmless, an object without its metadata belongs to nobody.
        foreach (var file in files.OrderByDescending(f => f == at.Object))
            File.Delete(file);
        PosixFile.SyncFolder(at.Folder);
        if (PosixFile.IsThere(at.Object))
            throw new StorageException(StorageFailure.Transient, $"'{name.Key}' was removed and is there again.");
    }

    /// <summary>
    /// The store makes a folder at the first put and never removes it. So one that is missing is away, unless nothing was ever put there.
    /// </summary>
    private void RequireNeverMade(ObjectName name, FileKey at, string lowest)
    {
        if (name.IsFolderKnown != false)
            throw FileErrors.Away(at, name);
        // In the mount point of a disk that is away nothing is left of any object.
        if (!Directory.EnumerateFileSystemEntries(lowest).Any())
            throw new StorageException(
                StorageFailure.Permanent,
                $"The folder '{lowest}' (Archiver:Storage:Path is '{root}') is empty, so it does not say that '{name.Key}' is gone. Is its "
                    + "disk mounted?"
            );
    }
}

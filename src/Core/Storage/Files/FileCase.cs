using System.Collections.Concurrent;
using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage.Files;

/// <summary>
/// Refuses a folder that takes two names for one file when they differ only in case. Keys of two sessions may differ so: the one would be
/// read as the other, and its removal would take the other's only copy.
/// </summary>
internal sealed class FileCase(string root, Func<string, bool> isThere)
{
    private readonly ConcurrentDictionary<string, bool> _told = new(StringComparer.Ordinal);

    /// <summary>Tries it once a prefix, with an empty file that goes at once.</summary>
    /// <exception cref="StorageException">The folder takes them for one.</exception>
    public void Require(string prefix)
    {
        if (!_told.GetOrAdd(prefix, TellsApart))
            throw new StorageException(
                StorageFailure.Permanent,
                $"The folder '{root}' (Archiver:Storage:Path) takes two names that differ only in case for one file, so it cannot keep two "
                    + "sessions apart. Use a folder of a file system that tells them apart."
            );
    }

    private bool TellsApart(string prefix)
    {
        var key = new FileKey(root, prefix.Length == 0 ? "case" : $"{prefix}/case");
        // The prefix's own folder may not be made yet.
        var folder = PosixFile.Lowest(key.Folder);
        var name = Path.GetFileName(key.NewTemporary());
        var file = Path.Combine(folder, name);
        File.WriteAllBytes(file, []);
        try
        {
            return !isThere(Path.Combine(folder, name.ToUpperInvariant()));
        }
        finally
        {
            File.Delete(file);
        }
    }
}

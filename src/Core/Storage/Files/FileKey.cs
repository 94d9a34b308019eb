using System.IO.Enumeration;
using System.Security.Cryptography;
using System.Text;
using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage.Files;

/// <summary>Where a key lives below a root folder; formats and recognises the names this store adds beside the objects.</summary>
internal sealed class FileKey
{
    private const string MetadataSuffix = ".archiver-meta";
    private const string TemporarySuffix = ".archiver-tmp";

    /// <exception cref="StorageException">The key would leave the root or take a name of the store's own.</exception>
    public FileKey(string root, string key)
    {
        var parts = key.Split('/');
        if (
            key.Contains('\0', StringComparison.Ordinal)
            || parts.Any(p => p is "" or "." or "..")
            || (OperatingSystem.IsWindows() && key.IndexOfAny(['\\', ':']) >= 0)
            || IsOwn(parts[^1])
        )
        {
            throw new StorageException(StorageFailure.Permanent, $"'{key}' cannot be the key of an object in a folder.");
        }
        Folder = Path.Combine([root, .. parts[..^1]]);
        Object = Path.Combine(Folder, parts[^1]);
        Metadata = Object + MetadataSuffix;
    }

    public string Folder { get; }

    public string Object { get; }

    /// <summary>The sidecar with the metadata pairs, and the claim on the key.</summary>
    public string Metadata { get; }

    /// <summary>
    /// A name in the same folder that nobody else takes; short, because the object's own name may be as long as names can be.
    /// </summary>
    public string NewTemporary() => Path.Combine(Folder, $"{TemporaryPrefix}{Guid.NewGuid():N}{TemporarySuffix}");

    /// <summary>
    /// What of the key is in its folder, by exactly these names: the object, its metadata, and temporary files that puts left when their
    /// process was killed.
    /// </summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public IReadOnlyList<string> Files()
    {
        var (name, metadata, temporary) = (Path.GetFileName(Object), Path.GetFileName(Metadata), TemporaryPrefix);
        return
        [
            .. new FileSystemEnumerable<string>(
                Folder,
                (ref FileSystemEntry entry) => entry.ToSpecifiedFullPath(),
                new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false }
            )
            {
                ShouldIncludePredicate = (ref FileSystemEntry entry) =>
                    entry.FileName.SequenceEqual(name)
                    || entry.FileName.SequenceEqual(metadata)
                    || (
                        entry.FileName.StartsWith(temporary, StringComparison.Ordinal)
                        && entry.FileName.EndsWith(TemporarySuffix, StringComparison.Ordinal)
                    ),
            },
        ];
    }

    // Names may be as long as the key's, and with a suffix longer than names can be: hence a hash.
    private string TemporaryPrefix => $"{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Object)))[..16]}-";

    /// <summary>A sidecar or temporary file: no object.</summary>
    public static bool IsOwn(string fileName) =>
        fileName.EndsWith(MetadataSuffix, StringComparison.Ordinal) || fileName.EndsWith(TemporarySuffix, StringComparison.Ordinal);
}

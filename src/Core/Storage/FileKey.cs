namespace Archiver.Core.Storage;

/// <summary>Where a key lives below a root folder; formats and recognises the names this store adds beside the objects.</summary>
internal sealed class FileKey
{
    private const string MetadataSuffix = ".archiver-meta";
    private const string TemporarySuffix = ".archiver-tmp";

    /// <exception cref="StorageException">The key would leave the root or take a name of the store's own.</exception>
    public FileKey(string root, string key)
    {
        var parts = key.Split('/');
        if (key.Contains('\0', StringComparison.Ordinal)
            || parts.Any(p => p is "" or "." or "..")
            || (OperatingSystem.IsWindows() && key.IndexOfAny(['\\', ':']) >= 0)
            || IsOwn(parts[^1]))
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

    /// <summary>A name in the same folder that nobody else takes; short, because the object's own name may be as long as names can be.</summary>
    public string NewTemporary() => Path.Combine(Folder, Guid.NewGuid().ToString("N") + TemporarySuffix);

    /// <summary>A sidecar or temporary file: no object.</summary>
    public static bool IsOwn(string fileName) =>
        fileName.EndsWith(MetadataSuffix, StringComparison.Ordinal) || fileName.EndsWith(TemporarySuffix, StringComparison.Ordinal);
}

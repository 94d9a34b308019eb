using System.Text;

namespace Archiver.Core.Storage.Files;

/// <summary>Walks a folder in the order in which S3 lists keys: by their UTF-8 bytes. One folder's names are in memory at a time.</summary>
internal static class FileListing
{
    public static IEnumerable<ListedObject> Under(string root, string prefix)
    {
        // Only the folders on the way to the prefix matter; the rest of the prefix filters.
        var slash = prefix.LastIndexOf('/');
        if (slash >= 0 && prefix[..slash].Split('/').Any(p => p is "" or "." or ".."))
            return [];
        var start = slash < 0 ? root : Path.Combine(root, prefix[..slash]);
        // Only a folder of which the system says that it is not there holds nothing.
        if (PosixFile.Lowest(start) != start || !Directory.Exists(start))
            return [];
        var below = Walk(start, prefix[..(slash + 1)], prefix);
        // Who asks for one key takes the first: a folder may have very many.
        var name = prefix[(slash + 1)..];
        return name.Length > 0 && !FileKey.IsOwn(name) && new FileInfo(Path.Combine(start, name)) is { Exists: true } file
            ? below.Where(o => o.Key != prefix).Prepend(Entry(prefix, file))
            : below;
    }

    private static ListedObject Entry(string key, FileInfo file)
    {
        // It may be a folder whose disk is away.
        if (file.Attributes.HasFlag(FileAttributes.ReparsePoint))
            PosixFile.Lowest(file.FullName);
        return new(key, file.Length, new DateTimeOffset(file.LastWriteTimeUtc));
    }

    private static IEnumerable<ListedObject> Walk(string folder, string path, string prefix)
    {
        // A folder sorts as its name with the slash that its keys have: "a.gz" comes before "a/b".
        var entries = new DirectoryInfo(folder)
            .EnumerateFileSystemInfos()
            .Select(e => (Key: path + e.Name + (e is DirectoryInfo ? "/" : ""), Entry: e))
            .Where(e => e.Key.StartsWith(prefix, StringComparison.Ordinal) && !FileKey.IsOwn(e.Entry.Name))
            .Select(e => (Order: Encoding.UTF8.GetBytes(e.Key), e.Key, e.Entry))
            .ToList();
        entries.Sort((a, b) => a.Order.AsSpan().SequenceCompareTo(b.Order));
        foreach (var (_, key, entry) in entries)
        {
            if (entry is not FileInfo file)
            {
                foreach (var below in Walk(entry.FullName, key, prefix))
                    yield return below;
            }
            else if (file.Exists)
            {
                yield return Entry(key, file);
            }
        }
    }
}

using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Spool;

namespace Archiver.Core.Storage.Files;

/// <summary>The put of <see cref="FileArchiveStore"/>, which explains it.</summary>
internal sealed class FilePut(string root, Action<string> syncFolder)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public async Task<PutResult> SendAsync(
        FileKey key,
        IObjectContent content,
        ObjectMetadata metadata,
        CancellationToken cancellationToken
    )
    {
        if (File.Exists(key.Object))
            return Settle(key, metadata);
        CreateFolder(key.Folder);
        var body = key.NewTemporary();
        var sidecar = key.NewTemporary();
        try
        {
            var source = content.OpenRead();
            await using (source)
                await WriteAsync(body, source, cancellationToken);
            using (
                var pairs = new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(metadata.Pairs.ToDictionary(), PlainJson.Default.Pairs))
            )
                await WriteAsync(sidecar, pairs, cancellationToken);

            var claimed = PosixFile.TryLink(sidecar, key.Metadata);
            if (!claimed && !IsOurs(key, metadata))
                return PutResult.AlreadyExists;
            if (!PosixFile.TryLink(body, key.Object))
            {
                // Somebody copied a file there by hand: it must not keep our claim as its metadata.
                if (claimed)
                    File.Delete(key.Metadata);
                return Settle(key, metadata);
            }
            syncFolder(key.Folder);
            return new PutResult(true, null);
        }
        finally
        {
            File.Delete(body);
            File.Delete(sidecar);
        }
    }

    /// <summary>The pairs of the sidecar; none for an object that came here without one.</summary>
    public static IReadOnlyDictionary<string, string> Metadata(FileKey key)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(key.Metadata), PlainJson.Default.Pairs) ?? new Dictionary<string, string>();
        }
        catch (FileNotFoundException)
        {
            return new Dictionary<string, string>();
        }
    }

    private static bool IsOurs(FileKey key, ObjectMetadata metadata) =>
        Metadata(key).GetValueOrDefault(ObjectMetadata.AttemptKey) == metadata.Attempt;

    private PutResult Settle(FileKey key, ObjectMetadata metadata)
    {
        if (!IsOurs(key, metadata))
            return PutResult.AlreadyExists;
        // The put that was interrupted may have stopped before this.
        syncFolder(key.Folder);
        return new PutResult(true, null);
    }

    private static async Task WriteAsync(string path, Stream source, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Options = FileOptions.Asynchronous,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        var file = new FileStream(path, options);
        await using var _ = file;
        await source.CopyToAsync(file, cancellationToken);
        file.Flush(flushToDisk: true);
    }

    // Each new folder's own name lives in its parent, which must be synced too or a power cut takes the whole branch.
    private void CreateFolder(string folder)
    {
        if (folder == root || Directory.Exists(folder))
            return;
        var parent = Path.GetDirectoryName(folder)!;
        CreateFolder(parent);
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        syncFolder(parent);
    }
}

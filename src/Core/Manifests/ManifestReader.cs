using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Archiver.Core.Storage;

namespace Archiver.Core.Manifests;

/// <summary>Reads every manifest of a prefix. One that cannot be read confirms nothing; it stops nobody.</summary>
internal sealed class ManifestReader(IArchiveReader store)
{
    /// <summary>Keys of manifests that are damaged or of another format.</summary>
    public List<string> Unreadable { get; } = [];

    public async IAsyncEnumerable<BatchManifest> ReadAllAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var listed in store.ListAsync(BatchManifest.Folder(prefix), cancellationToken).ConfigureAwait(false))
        {
            if (await ReadAsync(listed.Key, cancellationToken).ConfigureAwait(false) is { } manifest)
                yield return manifest;
            else
                Unreadable.Add(listed.Key);
        }
    }

    /// <summary>The manifests of one run, with their keys.</summary>
    public async IAsyncEnumerable<(string Key, BatchManifest Manifest)> ReadRunAsync(string prefix, Guid run, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var listed in store.ListAsync($"{BatchManifest.Folder(prefix)}{run}-", cancellationToken).ConfigureAwait(false))
        {
            if (await ReadAsync(listed.Key, cancellationToken).ConfigureAwait(false) is { } manifest)
                yield return (listed.Key, manifest);
            else
                Unreadable.Add(listed.Key);
        }
    }

    private async Task<BatchManifest?> ReadAsync(string key, CancellationToken cancellationToken)
    {
        await using var body = await store.OpenAsync(new(key), cancellationToken).ConfigureAwait(false);
        if (body is null)
            return null;
        try
        {
            await using var json = new GZipStream(body, CompressionMode.Decompress);
            var manifest = await JsonSerializer.DeserializeAsync(json, ManifestJson.Default.BatchManifest, cancellationToken).ConfigureAwait(false);
            return manifest?.Format == BatchManifest.CurrentFormat ? manifest : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidDataException)
        {
            return null;
        }
    }
}

using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Storage;

namespace Archiver.Core.Bucket;

/// <summary>Reads every manifest of a prefix. One that cannot be read confirms nothing; it stops nobody.</summary>
internal sealed class ManifestReader(IArchiveReader store)
{
    /// <summary>Keys of manifests that are damaged or of another format.</summary>
    public List<string> Unreadable { get; } = [];

    /// <summary>All of a prefix, also those that a delete marker hides: what they confirmed stays confirmed.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async IAsyncEnumerable<BatchManifest> ReadAllAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var (_, manifest) in ReadAsync(BatchManifest.Folder(prefix), cancellationToken))
            yield return manifest;
    }

    /// <summary>The manifests of one run, with their keys.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses, or does not list what it has.</exception>
    public async IAsyncEnumerable<(string Key, BatchManifest Manifest)> ReadRunAsync(
        string prefix,
        Guid run,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var any = false;
        await foreach (var found in ReadAsync($"{BatchManifest.Folder(prefix)}{run}-", cancellationToken))
        {
            any = true;
            yield return found;
        }
        var first = BatchManifest.KeyOf(prefix, run, 1, nonce: null);
        if (!any && !Unreadable.Contains(first) && await store.HeadAsync(new(first), cancellationToken) is not null)
            throw new StorageException(
                StorageFailure.Transient,
                $"{store.Location} has '{first}' and does not list it: its listing is not true. Something between may answer in its place."
            );
    }

    private async IAsyncEnumerable<(string Key, BatchManifest Manifest)> ReadAsync(
        string prefix,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var listed in new AllObjects(store).ListAsync(prefix, cancellationToken))
        {
            if (await ReadAsync(listed.Objects.First(), cancellationToken) is { } manifest)
                yield return (listed.Key, manifest);
            else
                Unreadable.Add(listed.Key);
        }
    }

    private async Task<BatchManifest?> ReadAsync(ObjectName name, CancellationToken cancellationToken)
    {
        await using var body = await store.OpenAsync(name, cancellationToken);
        if (body is null)
            return null;
        try
        {
            await using var json = new GZipStream(body, CompressionMode.Decompress);
            var manifest = await JsonSerializer.DeserializeAsync(json, ManifestJson.Default.BatchManifest, cancellationToken);
            return manifest?.Format == BatchManifest.CurrentFormat ? manifest : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidDataException)
        {
            return null;
        }
    }
}

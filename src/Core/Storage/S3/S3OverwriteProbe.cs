using System.Collections.Concurrent;
using System.Security.Cryptography;
using Archiver.Core.Diagnostics;
using Archiver.Core.Spool;

namespace Archiver.Core.Storage.S3;

/// <summary>
/// Finds out whether this bucket refuses a put onto a key that exists. Documentation does not say: Ceph honours the condition in
/// plain buckets, ignores it in versioned ones, and ignores it for every multipart upload, always with status 200.
/// Two conditional puts onto one fixed key tell: the second must be refused. The object stays, because runs delete nothing.
/// </summary>
internal sealed class S3OverwriteProbe(S3Bucket bucket) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);
    private readonly ConcurrentDictionary<(string Prefix, bool Multipart), bool> _known = new();

    /// <summary>Probes once per prefix and upload kind. A probe that failed or was cancelled leaves the next caller to probe.</summary>
    /// <exception cref="StorageException">The store failed.</exception>
    public async Task<bool> RunAsync(string prefix, bool multipart, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue((prefix, multipart), out var known))
            return known;
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (!_known.TryGetValue((prefix, multipart), out known))
                _known[(prefix, multipart)] = known = await ProbeAsync(prefix, multipart, cancellationToken);
            return known;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>What a probe of a prefix above the key has shown, or null when none has run.</summary>
    public bool? Known(string key, bool multipart)
    {
        foreach (var ((prefix, kind), refuses) in _known)
        {
            if (kind == multipart && key.StartsWith(Under(prefix), StringComparison.Ordinal))
                return refuses;
        }
        return null;
    }

    /// <summary>The object that a probe leaves: where it is, something is listed.</summary>
    public static string KeyOf(string prefix, bool multipart) => $"{Under(prefix)}.archiver/probe-{(multipart ? "multipart" : "single")}";

    public void Dispose() => _one.Dispose();

    private static string Under(string prefix) => prefix.Length == 0 ? "" : prefix + "/";

    private async Task<bool> ProbeAsync(string prefix, bool multipart, CancellationToken cancellationToken)
    {
        var key = KeyOf(prefix, multipart);
        return await IsRefusedAsync(key, multipart, cancellationToken) is not null
            && await IsRefusedAsync(key, multipart, cancellationToken) == true;
    }

    /// <summary>Whether the key was found taken; null when the server does not know the condition.</summary>
    private async Task<bool?> IsRefusedAsync(string key, bool multipart, CancellationToken cancellationToken)
    {
        // Before the one request that has the condition: what goes wrong with a part says nothing about it.
        var upload = multipart ? await S3MultipartUpload.BeginAsync(bucket, key, new Marker(), null, cancellationToken) : null;
        try
        {
            if (upload is not null)
                await upload.CompleteAsync(conditional: true, cancellationToken);
            else
                await S3SinglePut.SendAsync(bucket, key, new Marker(), null, conditional: true, cancellationToken);
            return false;
        }
        catch (StorageException e) when (S3Errors.IsConditionFailed(e))
        {
            return true;
        }
        catch (StorageException e) when (S3Errors.IsConditionUnknown(e))
        {
            return null;
        }
    }

    private sealed class Marker : IObjectContent
    {
        // An empty gzip member: the probe object is as readable as its content type says.
        private static readonly byte[] Empty = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

        public long Length => Empty.Length;

        public ReadOnlyMemory<byte> Sha256 => SHA256.HashData(Empty);

        public Stream OpenRead() => new MemoryStream(Empty, writable: false);
    }
}

using Archiver.Core.Storage;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Puts what others than the archiver put into a bucket.</summary>
internal static class OddVersions
{
    /// <summary>Puts bytes under a key, over what is there, with something kept beside them.</summary>
    public static async Task PutAsync(
        this TestBucket bucket,
        string key,
        byte[] bytes,
        IReadOnlyDictionary<string, string> metadata,
        CancellationToken cancellationToken
    )
    {
        using var stream = new MemoryStream(bytes, writable: false);
        var request = new Amazon.S3.Model.PutObjectRequest
        {
            BucketName = bucket.Name,
            Key = key,
            InputStream = stream,
            UseChunkEncoding = false,
        };
        foreach (var (name, value) in metadata)
            request.Metadata.Add(name, value);
        await bucket.Client.PutObjectAsync(request, cancellationToken);
    }

    /// <summary>Puts an archive of the same database over an object, in twice its length; returns its bytes.</summary>
    public static async Task<byte[]> PutLongerOverAsync(
        this TestBucket bucket,
        IArchiveReader store,
        string key,
        string other,
        CancellationToken cancellationToken
    )
    {
        var bytes = await bucket.GetRawAsync(other, cancellationToken);
        var twice = bytes.Concat(bytes).ToArray();
        await bucket.PutAsync(key, twice, (await store.HeadAsync(new(other), cancellationToken))!.Metadata, cancellationToken);
        return twice;
    }

    /// <summary>Puts another ledger's version over an object, and over that the object's own bytes again.</summary>
    public static async Task PutForeignOverAsync(
        this TestBucket bucket,
        IArchiveReader store,
        string key,
        CancellationToken cancellationToken
    )
    {
        var bytes = await bucket.GetRawAsync(key, cancellationToken);
        var own = (await store.HeadAsync(new(key), cancellationToken))!.Metadata;
        var foreign = new Dictionary<string, string>(own) { [ObjectMetadata.LedgerKey] = Guid.NewGuid().ToString() };
        await bucket.PutAsync(key, bytes, foreign, cancellationToken);
        await bucket.PutAsync(key, bytes, own, cancellationToken);
    }
}

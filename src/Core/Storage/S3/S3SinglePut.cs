using System.Security.Cryptography;
using Amazon.S3.Model;
using Archiver.Core.Diagnostics;
using Archiver.Core.Spool;

namespace Archiver.Core.Storage.S3;

/// <summary>One object in one request.</summary>
internal static class S3SinglePut
{
    /// <summary>Puts the content; with <paramref name="conditional"/> the server is asked to refuse an existing key (412).</summary>
    /// <returns>The version written, and whether the answer proves that it is our bytes: an ETag that is their MD5.</returns>
    /// <exception cref="StorageException">The put failed or its outcome is unknown.</exception>
    public static async Task<(string? VersionId, bool Proven)> SendAsync(
        S3Bucket bucket,
        string key,
        IObjectContent content,
        ObjectMetadata? metadata,
        bool conditional,
        CancellationToken cancellationToken
    )
    {
        var body = await SeekableAsync(content, cancellationToken);
        await using var _ = body;
#pragma warning disable CA5351 // Content-MD5 is S3's transfer check (and required by object lock), not a protection against forgery.
        var md5 = await MD5.HashDataAsync(body, cancellationToken);
#pragma warning restore CA5351
        body.Position = 0;
        var request = new PutObjectRequest
        {
            BucketName = bucket.Name,
            Key = key,
            InputStream = body,
            AutoCloseStream = false,
            UseChunkEncoding = false,
            ContentType = S3ArchiveStore.ContentType,
            MD5Digest = Convert.ToBase64String(md5),
            ServerSideEncryptionMethod = S3ArchiveStore.Encryption(bucket.Settings),
            ServerSideEncryptionKeyManagementServiceKeyId = bucket.Settings.KmsKeyId,
        };
        if (conditional)
            request.IfNoneMatch = "*";
        foreach (var (name, value) in metadata?.Pairs ?? [])
            request.Metadata.Add(name, value);

        var answer = await bucket.CallAsync(key, (s3, ct) => s3.PutObjectAsync(request, ct), cancellationToken);
        var encrypted = answer.ServerSideEncryptionMethod?.Value?.StartsWith("aws:kms", StringComparison.Ordinal) == true;
        return (S3Bucket.Version(answer.VersionId), encrypted || IsMd5(answer.ETag, md5));
    }

    // The SDK hashes the body for its signature and then sends it, so it must be able to rewind.
    private static async Task<Stream> SeekableAsync(IObjectContent content, CancellationToken cancellationToken)
    {
        var body = content.OpenRead();
        if (body.CanSeek)
            return body;
        await using var _ = body;
        var copy = new byte[content.Length];
        await body.ReadExactlyAsync(copy, cancellationToken);
        return new MemoryStream(copy, writable: false);
    }

    private static bool IsMd5(string? etag, byte[] md5) =>
        string.Equals(etag?.Trim('"'), Convert.ToHexString(md5), StringComparison.OrdinalIgnoreCase);
}

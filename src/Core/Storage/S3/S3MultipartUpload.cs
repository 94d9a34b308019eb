using System.Buffers;
using System.Security.Cryptography;
using Amazon.S3.Model;
using Archiver.Core.Diagnostics;
using Archiver.Core.Spool;

namespace Archiver.Core.Storage.S3;

/// <summary>One object in parts, one part in memory at a time. Its parts are stored, and its completion makes them an object.</summary>
internal sealed class S3MultipartUpload
{
    private const long SmallestPart = 8L << 20;
    private const int MostParts = 10_000;

    // Long enough for a healthy server; a run that is being cancelled must not wait for a sick one.
    private static readonly TimeSpan AbortLimit = TimeSpan.FromSeconds(5);

    private readonly S3Bucket _bucket;
    private readonly string _key;
    private readonly string _id;
    private readonly List<PartETag> _parts;

    private S3MultipartUpload(S3Bucket bucket, string key, string id, List<PartETag> parts) =>
        (_bucket, _key, _id, _parts) = (bucket, key, id, parts);

    /// <summary>Stores the parts. Nothing is under the key yet.</summary>
    /// <exception cref="StorageException">A request failed; the upload was ended.</exception>
    public static async Task<S3MultipartUpload> BeginAsync(
        S3Bucket bucket,
        string key,
        IObjectContent content,
        ObjectMetadata? metadata,
        CancellationToken cancellationToken
    )
    {
        var start = new InitiateMultipartUploadRequest
        {
            BucketName = bucket.Name,
            Key = key,
            ContentType = S3ArchiveStore.ContentType,
            ServerSideEncryptionMethod = S3ArchiveStore.Encryption(bucket.Settings),
            ServerSideEncryptionKeyManagementServiceKeyId = bucket.Settings.KmsKeyId,
        };
        foreach (var (name, value) in metadata?.Pairs ?? [])
            start.Metadata.Add(name, value);
        var upload = await bucket.CallAsync(key, (s3, ct) => s3.InitiateMultipartUploadAsync(start, ct), cancellationToken);
        try
        {
            var parts = await SendPartsAsync(bucket, key, upload.UploadId, content, cancellationToken);
            FaultPoint.Reach(FaultPoints.PartsStored);
            return new(bucket, key, upload.UploadId, parts);
        }
        catch
        {
            await TryAbortAsync(bucket, key, upload.UploadId);
            throw;
        }
    }

    /// <summary>
    /// Makes the parts an object; with <paramref name="conditional"/> the server is asked to refuse an existing key (412). Of all requests
    /// of an upload only this one has the condition.
    /// </summary>
    /// <returns>The version written.</returns>
    /// <exception cref="StorageException">The completion failed or its outcome is unknown.</exception>
    public async Task<string?> CompleteAsync(bool conditional, CancellationToken cancellationToken)
    {
        var complete = new CompleteMultipartUploadRequest
        {
            BucketName = _bucket.Name,
            Key = _key,
            UploadId = _id,
            PartETags = _parts,
            IfNoneMatch = conditional ? "*" : null,
        };
        try
        {
            var answer = await _bucket.CallAsync(_key, (s3, ct) => s3.CompleteMultipartUploadAsync(complete, ct), cancellationToken);
            return S3Bucket.Version(answer.VersionId);
        }
        catch (StorageException e) when (e.Failure != StorageFailure.Transient)
        {
            // Only after a refusal: a completion whose answer was lost may still be running on the server, and an abort beside it could
            // take the parts from under the object. A left upload costs a little money until it is cleaned by age; a hole costs messages.
            await TryAbortAsync(_bucket, _key, _id);
            throw;
        }
    }

    /// <summary>Bytes of a part: 8 MiB, and whole MiB more for an object that would need over 10,000 of them.</summary>
    public static long PartSize(long length)
    {
        const long mebibyte = 1L << 20;
        var needed = (length + MostParts - 1) / MostParts;
        return Math.Max(SmallestPart, (needed + mebibyte - 1) / mebibyte * mebibyte);
    }

    // A failure to abort is not told: the failure that led here is the one that counts.
    private static async Task TryAbortAsync(S3Bucket bucket, string key, string uploadId)
    {
        using var limit = new CancellationTokenSource(AbortLimit);
        try
        {
            await AbortAsync(bucket, key, uploadId, limit.Token);
        }
        catch (Exception e) when (e is StorageException or OperationCanceledException)
        {
            // Left for S3Cleanup.
        }
    }

    /// <summary>Ends an upload and frees its parts.</summary>
    /// <exception cref="StorageException">The store failed.</exception>
    public static Task<AbortMultipartUploadResponse> AbortAsync(
        S3Bucket bucket,
        string key,
        string uploadId,
        CancellationToken cancellationToken
    )
    {
        var abort = new AbortMultipartUploadRequest
        {
            BucketName = bucket.Name,
            Key = key,
            UploadId = uploadId,
        };
        return bucket.CallAsync(key, (s3, ct) => s3.AbortMultipartUploadAsync(abort, ct), cancellationToken);
    }

    /// <summary>The same of an upload that was listed; false when somebody else has ended it since.</summary>
    /// <exception cref="StorageException">The store failed.</exception>
    public static async Task<bool> TryEndAsync(S3Bucket bucket, string key, string uploadId, CancellationToken cancellationToken)
    {
        try
        {
            await AbortAsync(bucket, key, uploadId, cancellationToken);
            return true;
        }
        catch (StorageException exception) when (S3Errors.Code(exception) == "NoSuchUpload")
        {
            return false;
        }
    }

    private static async Task<List<PartETag>> SendPartsAsync(
        S3Bucket bucket,
        string key,
        string uploadId,
        IObjectContent content,
        CancellationToken cancellationToken
    )
    {
        var size = (int)Math.Min(PartSize(content.Length), content.Length);
        var buffer = ArrayPool<byte>.Shared.Rent(size);
        var body = content.OpenRead();
        await using var _ = body;
        try
        {
            var parts = new List<PartETag>();
            for (var sent = 0L; sent < content.Length; )
            {
                var length = (int)Math.Min(size, content.Length - sent);
                await body.ReadExactlyAsync(buffer.AsMemory(0, length), cancellationToken);
                var part = new UploadPartRequest
                {
                    BucketName = bucket.Name,
                    Key = key,
                    UploadId = uploadId,
                    PartNumber = parts.Count + 1,
                    PartSize = length,
                    InputStream = new MemoryStream(buffer, 0, length, writable: false),
                    UseChunkEncoding = false,
                    MD5Digest = Md5(buffer.AsSpan(0, length)),
                };
                var answer = await bucket.CallAsync(key, (s3, ct) => s3.UploadPartAsync(part, ct), cancellationToken);
                parts.Add(new PartETag(part.PartNumber.Value, answer.ETag));
                sent += length;
                FaultPoint.Reach(FaultPoints.PartStored);
            }
            return parts;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

#pragma warning disable CA5351 // Content-MD5 is S3's transfer check (and required by object lock), not a protection against forgery.
    private static string Md5(ReadOnlySpan<byte> part) => Convert.ToBase64String(MD5.HashData(part));
#pragma warning restore CA5351
}

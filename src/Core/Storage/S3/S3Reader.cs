using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using Amazon.S3.Model;
using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage.S3;

/// <summary>The reading requests of <see cref="S3ArchiveStore"/>.</summary>
internal sealed class S3Reader(S3Bucket bucket)
{
    /// <summary>The bytes of the range, fewer where the object ends before; null when the object is absent.</summary>
    public async Task<Stream?> OpenAsync(ObjectName name, long offset, long? length, CancellationToken cancellationToken)
    {
        if (length == 0)
            return await HeadAsync(name, cancellationToken) is null ? null : Stream.Null;
        try
        {
            return await GetAsync(name, offset, length, cancellationToken);
        }
        catch (StorageException e) when (S3Errors.IsAbsent(e))
        {
            return null;
        }
        catch (StorageException e) when (S3Errors.IsRangePastEnd(e))
        {
            return Stream.Null;
        }
    }

    /// <summary>Length, metadata and version; null when the object is absent.</summary>
    public async Task<ObjectHead?> HeadAsync(ObjectName name, CancellationToken cancellationToken)
    {
        if (await bucket.HeadOrNullAsync(name, cancellationToken) is { } head)
            return head;
        // A HEAD's 404 has no body: it may be the bucket that is missing. A GET of one byte says which.
        var body = await OpenAsync(name, 0, 1, cancellationToken);
        if (body is null)
            return null;
        await body.DisposeAsync();
        return await bucket.HeadOrNullAsync(name, cancellationToken);
    }

    /// <summary>Page after page by the last key seen, not by the server's token: a token dies with the server that gave it.</summary>
    public async IAsyncEnumerable<ListedObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? last = null;
        while (true)
        {
            var request = new ListObjectsV2Request
            {
                BucketName = bucket.Name,
                Prefix = prefix,
                StartAfter = last,
            };
            var page = await bucket.CallAsync(null, (s3, ct) => s3.ListObjectsV2Async(request, ct), cancellationToken);
            var objects = page.S3Objects ?? [];
            foreach (var item in objects)
            {
                if (!item.Key.StartsWith(prefix, StringComparison.Ordinal))
                    throw S3Errors.Foreign(bucket, prefix, item.Key);
                yield return new ListedObject(item.Key, item.Size ?? 0, S3Bucket.Utc(item.LastModified));
            }
            if (page.IsTruncated != true)
                yield break;
            // Going on from the same key would never end.
            if (objects.Count == 0 || objects[^1].Key == last)
                throw new StorageException(
                    StorageFailure.Transient,
                    $"The listing of 's3://{bucket.Name}/{prefix}' does not advance after '{last}'."
                );
            last = objects[^1].Key;
        }
    }

    private async Task<ObjectStream> GetAsync(ObjectName name, long offset, long? length, CancellationToken cancellationToken)
    {
        // A range also for the whole object: without one the SDK takes every ETag for an MD5, which costs time, refuses
        // healthy objects of servers whose ETag is something else, and fails on ETags that are not hex.
        var range = length is { } bytes
            ? new ByteRange(offset, offset + bytes - 1)
            : new ByteRange(FormattableString.Invariant($"bytes={offset}-"));
        var request = new GetObjectRequest
        {
            BucketName = bucket.Name,
            Key = name.Key,
            VersionId = name.VersionId,
            ByteRange = range,
        };
        var answer = await bucket.CallAsync(name.Key, (s3, ct) => s3.GetObjectAsync(request, ct), cancellationToken);
        var given = ContentRangeHeaderValue.TryParse(answer.ContentRange, out var parsed) ? parsed : null;
        var isWhole = offset == 0 && length is null && given is null;
        if (given?.From != offset && !isWhole)
        {
            answer.Dispose();
            throw new StorageException(
                StorageFailure.Permanent,
                $"{S3Errors.Server(bucket.Settings)} ignored the range {range.FormattedByteRange} of '{name.Key}' (got "
                    + $"'{answer.ContentRange}')."
            );
        }
        var announced = given is null ? answer.ContentLength : given.To!.Value - offset + 1;
        return new ObjectStream(answer.ResponseStream, announced, e => S3Errors.Translate(e, bucket.Settings, name.Key), answer);
    }
}

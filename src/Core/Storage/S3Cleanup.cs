using Amazon.S3.Model;

namespace Archiver.Core.Storage;

/// <summary>The only S3 requests that remove anything. No run calls them.</summary>
internal sealed class S3Cleanup(S3Bucket bucket, TimeProvider time)
{
    /// <summary>
    /// Removes every version and delete marker of exactly this key, and the parts of uploads that never became one, then lists again to confirm.
    /// </summary>
    /// <exception cref="StorageException">Object lock, permission, or versions that are still there.</exception>
    public async Task DeleteAllVersionsAsync(string key, CancellationToken cancellationToken)
    {
        foreach (var version in await VersionsAsync(key, cancellationToken).ConfigureAwait(false))
        {
            var request = new DeleteObjectRequest { BucketName = bucket.Name, Key = key, VersionId = version };
            try
            {
                await bucket.CallAsync(key, (s3, ct) => s3.DeleteObjectAsync(request, ct), cancellationToken).ConfigureAwait(false);
            }
            catch (StorageException e) when (e.Failure == StorageFailure.Permanent)
            {
                throw new StorageException(
                    StorageFailure.Permanent,
                    $"'{key}' (version {version}) in the bucket '{bucket.Name}' cannot be removed ({S3Errors.Code(e)}): "
                    + "it is under object lock, or the permission s3:DeleteObjectVersion is missing.",
                    e.InnerException);
            }
        }
        await AbortUploadsOfAsync(key, cancellationToken).ConfigureAwait(false);
        if (await VersionsAsync(key, cancellationToken).ConfigureAwait(false) is { Count: > 0 } left)
            throw new StorageException(StorageFailure.Transient, $"'{key}' still has {left.Count} versions after its removal.");
    }

    /// <summary>Aborts multipart uploads under the prefix that began longer ago than <paramref name="age"/>.</summary>
    /// <returns>How many were aborted.</returns>
    public async Task<int> AbortUploadsAsync(string prefix, TimeSpan age, CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow() - age;
        var aborted = 0;
        var request = new ListMultipartUploadsRequest { BucketName = bucket.Name, Prefix = prefix };
        while (true)
        {
            var page = await bucket.CallAsync(null, (s3, ct) => s3.ListMultipartUploadsAsync(request, ct), cancellationToken).ConfigureAwait(false);
            foreach (var upload in page.MultipartUploads ?? [])
            {
                if (upload.Initiated is null || S3Bucket.Utc(upload.Initiated) >= before)
                    continue;
                await S3MultipartUpload.AbortAsync(bucket, upload.Key, upload.UploadId, cancellationToken).ConfigureAwait(false);
                aborted++;
            }
            if (page.IsTruncated != true)
                return aborted;
            request.KeyMarker = page.NextKeyMarker;
            request.UploadIdMarker = page.NextUploadIdMarker;
        }
    }

    // A process that was killed over a large upload leaves its parts, and they hold the same text.
    private async Task AbortUploadsOfAsync(string key, CancellationToken cancellationToken)
    {
        var request = new ListMultipartUploadsRequest { BucketName = bucket.Name, Prefix = key };
        ListMultipartUploadsResponse page;
        do
        {
            page = await bucket.CallAsync(key, (s3, ct) => s3.ListMultipartUploadsAsync(request, ct), cancellationToken).ConfigureAwait(false);
            foreach (var upload in (page.MultipartUploads ?? []).Where(u => u.Key == key))
                await S3MultipartUpload.AbortAsync(bucket, key, upload.UploadId, cancellationToken).ConfigureAwait(false);
            request.KeyMarker = page.NextKeyMarker;
            request.UploadIdMarker = page.NextUploadIdMarker;
        }
        while (page.IsTruncated == true);
    }

    private async Task<List<string>> VersionsAsync(string key, CancellationToken cancellationToken)
    {
        var versions = new List<string>();
        var request = new ListVersionsRequest { BucketName = bucket.Name, Prefix = key };
        while (true)
        {
            var page = await bucket.CallAsync(key, (s3, ct) => s3.ListVersionsAsync(request, ct), cancellationToken).ConfigureAwait(false);
            var items = page.Versions ?? [];
            // The prefix also finds 'key~2'; another session's object must not go.
            versions.AddRange(items.Where(v => v.Key == key).Select(v => v.VersionId));
            if (page.IsTruncated != true || items.Any(v => v.Key != key))
                return versions;
            request.KeyMarker = page.NextKeyMarker;
            request.VersionIdMarker = page.NextVersionIdMarker;
        }
    }
}

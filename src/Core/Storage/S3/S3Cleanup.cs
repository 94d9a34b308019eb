using Amazon.S3.Model;
using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage.S3;

/// <summary>Ends uploads that nobody goes on with. No run calls it.</summary>
internal sealed class S3Cleanup(S3Bucket bucket, TimeProvider time)
{
    /// <summary>Aborts multipart uploads under the prefix that are ours and began longer ago than <paramref name="age"/>.</summary>
    /// <returns>How many were aborted.</returns>
    public async Task<int> AbortUploadsAsync(
        string prefix,
        TimeSpan age,
        Func<string, CancellationToken, Task<bool>> isOurs,
        CancellationToken cancellationToken
    )
    {
        var before = time.GetUtcNow() - age;
        var aborted = 0;
        var request = new ListMultipartUploadsRequest { BucketName = bucket.Name, Prefix = prefix };
        while (true)
        {
            var page = await bucket.CallAsync(null, (s3, ct) => s3.ListMultipartUploadsAsync(request, ct), cancellationToken);
            foreach (var upload in page.MultipartUploads ?? [])
            {
                if (!upload.Key.StartsWith(prefix, StringComparison.Ordinal))
                    throw S3Errors.Foreign(bucket, prefix, upload.Key);
                if (upload.Initiated is null || S3Bucket.Utc(upload.Initiated) >= before)
                    continue;
                if (!await isOurs(upload.Key, cancellationToken))
                    continue;
                if (await S3MultipartUpload.TryEndAsync(bucket, upload.Key, upload.UploadId, cancellationToken))
                    aborted++;
            }
            if (page.IsTruncated != true)
                return aborted;
            if ((page.NextKeyMarker, page.NextUploadIdMarker) == (request.KeyMarker, request.UploadIdMarker))
                throw new StorageException(
                    StorageFailure.Transient,
                    $"The listing of uploads of 's3://{bucket.Name}/{prefix}' does not advance."
                );
            request.KeyMarker = page.NextKeyMarker;
            request.UploadIdMarker = page.NextUploadIdMarker;
        }
    }
}

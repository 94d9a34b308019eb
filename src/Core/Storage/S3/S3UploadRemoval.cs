using System.Collections.Concurrent;
using Amazon.S3.Model;
using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage.S3;

/// <summary>
/// Ends the unfinished uploads of exactly these keys. A process that was killed over a large upload leaves its parts, and they hold the
/// same text. It asks by each whole key: MinIO lists the uploads of no shorter prefix, and says that there is none.
/// </summary>
internal sealed class S3UploadRemoval(S3Bucket bucket, IEnumerable<string> keys)
{
    private readonly ConcurrentDictionary<string, StorageException> _failures = new(StringComparer.Ordinal);

    private StorageException? _outage;

    /// <summary>Of which keys parts may be there still, and why.</summary>
    public async Task<IReadOnlyDictionary<string, StorageException>> RunAsync(CancellationToken cancellationToken)
    {
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = bucket.Settings.UploadConcurrency,
            CancellationToken = cancellationToken,
        };
        await Parallel.ForEachAsync(keys.Distinct(StringComparer.Ordinal), options, async (key, token) =>
        {
            try
            {
                if (_outage is null)
                    await EndAsync(key, token);
                else
                    _failures[key] = _outage;
            }
            catch (StorageException exception)
            {
                // Not all were listed. Without an answer each further key would wait for its timeout.
                _failures[key] = exception;
                if (!S3Errors.IsAnswer(exception))
                    _outage = exception;
            }
        });
        return _failures;
    }

    private async Task EndAsync(string key, CancellationToken cancellationToken)
    {
        var request = new ListMultipartUploadsRequest { BucketName = bucket.Name, Prefix = key };
        ListMultipartUploadsResponse page;
        do
        {
            page = await bucket.CallAsync(null, (s3, ct) => s3.ListMultipartUploadsAsync(request, ct), cancellationToken);
            // The prefix also finds 'key~2'.
            foreach (var upload in (page.MultipartUploads ?? []).Where(u => u.Key == key))
            {
                try
                {
                    await S3MultipartUpload.TryEndAsync(bucket, key, upload.UploadId, cancellationToken);
                }
                catch (StorageException exception) when (S3Errors.IsAnswer(exception))
                {
                    // The answer is about this key alone.
                    _failures[key] = new StorageException(
                        exception.Failure,
                        $"Parts of an unfinished upload of '{key}' are left: {exception.Message}"
                    );
                }
            }
            if (page.IsTruncated == true && (page.NextKeyMarker, page.NextUploadIdMarker) == (request.KeyMarker, request.UploadIdMarker))
                throw new StorageException(
                    StorageFailure.Transient,
                    $"The listing of uploads of 's3://{bucket.Name}/{key}' does not advance."
                );
            request.KeyMarker = page.NextKeyMarker;
            request.UploadIdMarker = page.NextUploadIdMarker;
        } while (page.IsTruncated == true);
    }
}

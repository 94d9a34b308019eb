using Amazon.S3.Model;
using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage.S3;

/// <summary>
/// Ends the unfinished uploads of exactly these keys. A process that was killed over a large upload leaves its parts, and they hold the
/// same text.
/// </summary>
internal sealed class S3UploadRemoval(S3Bucket bucket, IEnumerable<string> keys)
{
    private readonly HashSet<string> _keys = keys.ToHashSet(StringComparer.Ordinal);
    private readonly Dictionary<string, StorageException> _failures = new(StringComparer.Ordinal);

    /// <summary>Of which keys parts may be there still, and why.</summary>
    public async Task<IReadOnlyDictionary<string, StorageException>> RunAsync(CancellationToken cancellationToken)
    {
        // By first folder, so that no prefix is empty: that would list the uploads of the whole bucket.
        foreach (var group in _keys.GroupBy(k => k.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash ? k[..(slash + 1)] : k))
        {
            try
            {
                await AbortAsync(CommonPrefix(group), cancellationToken);
            }
            catch (StorageException exception)
            {
                // Not all were listed: nobody knows of which key parts are left.
                foreach (var key in group)
                    _failures.TryAdd(key, exception);
            }
        }
        return _failures;
    }

    private async Task AbortAsync(string prefix, CancellationToken cancellationToken)
    {
        var request = new ListMultipartUploadsRequest { BucketName = bucket.Name, Prefix = prefix };
        ListMultipartUploadsResponse page;
        do
        {
            page = await bucket.CallAsync(null, (s3, ct) => s3.ListMultipartUploadsAsync(request, ct), cancellationToken);
            foreach (var upload in (page.MultipartUploads ?? []).Where(u => _keys.Contains(u.Key)))
            {
                try
                {
                    await S3MultipartUpload.AbortAsync(bucket, upload.Key, upload.UploadId, cancellationToken);
                }
                catch (StorageException exception) when (S3Errors.Code(exception) == "NoSuchUpload")
                {
                    // Somebody else ended it.
                }
                catch (StorageException exception) when (S3Errors.IsAnswer(exception))
                {
                    // The answer is about this key alone.
                    _failures[upload.Key] = new StorageException(
                        exception.Failure,
                        $"Parts of an unfinished upload of '{upload.Key}' are left: {exception.Message}"
                    );
                }
            }
            if (page.IsTruncated == true && (page.NextKeyMarker, page.NextUploadIdMarker) == (request.KeyMarker, request.UploadIdMarker))
                throw new StorageException(
                    StorageFailure.Transient,
                    $"The listing of uploads of 's3://{bucket.Name}/{prefix}' does not advance."
                );
            request.KeyMarker = page.NextKeyMarker;
            request.UploadIdMarker = page.NextUploadIdMarker;
        } while (page.IsTruncated == true);
    }

    private static string CommonPrefix(IEnumerable<string> keys) =>
        keys.Aggregate((a, b) => a[..a.Zip(b).TakeWhile(c => c.First == c.Second).Count()]);
}

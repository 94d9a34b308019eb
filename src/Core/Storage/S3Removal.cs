using System.Collections.Concurrent;
using Amazon.S3.Model;

namespace Archiver.Core.Storage;

/// <summary>
/// Removes objects for good: every version and delete marker of exactly these keys, and the parts of uploads that never became one, then lists
/// again. Only that last listing says that a key is gone, whatever the server answered before, or did not answer. No run calls it.
/// </summary>
internal sealed class S3Removal(S3Bucket bucket, IReadOnlyCollection<string> keys)
{
    private readonly ConcurrentDictionary<string, StorageException> _failures = new(StringComparer.Ordinal);
    private StorageException? _outage;

    /// <summary>Keys that are not in the outcome's failures are gone.</summary>
    public async Task<RemovalOutcome> RunAsync(CancellationToken cancellationToken)
    {
        if (keys.Count == 0)
            return new(_failures, null);
        var versions = new ConcurrentBag<KeyVersion>();
        await EachAsync(
            async (key, token) =>
            {
                foreach (var version in await VersionsAsync(key, token).ConfigureAwait(false))
                    versions.Add(new() { Key = key, VersionId = version });
            },
            cancellationToken).ConfigureAwait(false);
        if (_outage is null)
        {
            var refused = await new S3BulkDelete(bucket).RunAsync(versions, cancellationToken).ConfigureAwait(false);
            var left = await AbortUploadsAsync(cancellationToken).ConfigureAwait(false);
            await EachAsync((key, token) => ConfirmAsync(key, refused.GetValueOrDefault(key), left, token), cancellationToken).ConfigureAwait(false);
        }
        return new(_failures, _outage);
    }

    /// <summary>Throws why the key is not gone. Refused or not answered and gone all the same: an answer was lost, or somebody else did it.</summary>
    private async Task ConfirmAsync(string key, StorageException? refused, StorageException? uploads, CancellationToken cancellationToken)
    {
        if (await VersionsAsync(key, cancellationToken).ConfigureAwait(false) is { Count: > 0 } left)
            throw refused ?? new StorageException(StorageFailure.Transient, $"'{key}' still has {left.Count} versions after its removal.");
        if (uploads is not null)
            throw uploads;
    }

    /// <summary>Does something for every key, many at once. A store that does not answer ends it: each further key would wait for its timeout.</summary>
    private async Task EachAsync(Func<string, CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var done = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        var options = new ParallelOptions { MaxDegreeOfParallelism = bucket.Settings.UploadConcurrency, CancellationToken = stop.Token };
        try
        {
            await Parallel.ForEachAsync(keys, options, async (key, token) =>
            {
                try
                {
                    await action(key, token).ConfigureAwait(false);
                }
                catch (StorageException exception)
                {
                    _failures[key] = exception;
                    done[key] = true;
                    // Without a cause it is the server's answer about this key alone.
                    if (exception.Failure != StorageFailure.Transient || exception.InnerException is null)
                        return;
                    Interlocked.CompareExchange(ref _outage, exception, null);
                    await stop.CancelAsync().ConfigureAwait(false);
                }
                done[key] = true;
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_outage is not null && !cancellationToken.IsCancellationRequested)
        {
            // Said by the outcome.
        }
        if (_outage is { } outage)
        {
            foreach (var key in keys.Where(k => !done.ContainsKey(k)))
                _failures[key] = new StorageException(StorageFailure.Transient, "not tried: the store does not answer", outage);
        }
    }

    // A process that was killed over a large upload leaves its parts, and they hold the same text.
    private async Task<StorageException?> AbortUploadsAsync(CancellationToken cancellationToken)
    {
        var mine = keys.ToHashSet(StringComparer.Ordinal);
        var request = new ListMultipartUploadsRequest { BucketName = bucket.Name, Prefix = CommonPrefix() };
        try
        {
            ListMultipartUploadsResponse page;
            do
            {
                page = await bucket.CallAsync(null, (s3, ct) => s3.ListMultipartUploadsAsync(request, ct), cancellationToken).ConfigureAwait(false);
                foreach (var upload in (page.MultipartUploads ?? []).Where(u => mine.Contains(u.Key)))
                    await S3MultipartUpload.AbortAsync(bucket, upload.Key, upload.UploadId, cancellationToken).ConfigureAwait(false);
                request.KeyMarker = page.NextKeyMarker;
                request.UploadIdMarker = page.NextUploadIdMarker;
            }
            while (page.IsTruncated == true);
            return null;
        }
        catch (StorageException exception)
        {
            // Parts may be there still, nobody knows of which key.
            return exception;
        }
    }

    private string CommonPrefix() => keys.Aggregate((a, b) => a[..a.Zip(b).TakeWhile(c => c.First == c.Second).Count()]);

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

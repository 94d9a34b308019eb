using System.Collections.Concurrent;
using Amazon.S3.Model;

namespace Archiver.Core.Storage;

/// <summary>
/// Removes objects for good: every version and delete marker of exactly these keys, and the parts of uploads that never became one, then lists
/// again. Only that last listing says that a key is gone, whatever the server answered before, or did not answer. No run calls it.
/// </summary>
internal sealed class S3Removal(S3Bucket bucket, IReadOnlyCollection<string> keys)
{
    // No key begins as gone: whatever ends this early, and wherever, what was not confirmed is a failure.
    private readonly ConcurrentDictionary<string, bool> _gone = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, StorageException> _reasons = new(StringComparer.Ordinal);
    private StorageException? _outage;

    /// <summary>Keys that are not in the outcome's failures are gone.</summary>
    public async Task<RemovalOutcome> RunAsync(CancellationToken cancellationToken)
    {
        if (keys.Count == 0)
            return new(_reasons, null);
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
            var uploads = await new S3UploadRemoval(bucket, keys).RunAsync(cancellationToken).ConfigureAwait(false);
            await EachAsync((key, token) => ConfirmAsync(key, refused.GetValueOrDefault(key), uploads.GetValueOrDefault(key), token), cancellationToken).ConfigureAwait(false);
        }
        return new(keys.Where(k => !_gone.ContainsKey(k)).Distinct(StringComparer.Ordinal).ToDictionary(k => k, Reason, StringComparer.Ordinal), _outage);
    }

    /// <summary>Refused or not answered and gone all the same: an answer was lost, or somebody else did it.</summary>
    private async Task ConfirmAsync(string key, StorageException? refused, StorageException? uploads, CancellationToken cancellationToken)
    {
        if (await VersionsAsync(key, cancellationToken).ConfigureAwait(false) is { Count: > 0 } left)
            throw refused ?? _reasons.GetValueOrDefault(key) ?? new StorageException(StorageFailure.Transient, $"'{key}' still has {left.Count} versions after its removal.");
        if (uploads is not null)
            throw uploads;
        _gone[key] = true;
    }

    /// <summary>Does something for every key, many at once. A store that does not answer ends it: each further key would wait for its timeout.</summary>
    private async Task EachAsync(Func<string, CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
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
                    _reasons[key] = exception;
                    // Without a cause it is the server's answer about this key alone.
                    if (exception.Failure != StorageFailure.Transient || exception.InnerException is null)
                        return;
                    Interlocked.CompareExchange(ref _outage, exception, null);
                    await stop.CancelAsync().ConfigureAwait(false);
                }
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_outage is not null && !cancellationToken.IsCancellationRequested)
        {
            // Said by the outcome.
        }
    }

    private StorageException Reason(string key) => _reasons.GetValueOrDefault(key)
        ?? new StorageException(StorageFailure.Transient, "not tried to the end: the store does not answer", _outage);

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

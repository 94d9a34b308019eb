using System.Collections.Concurrent;
using Amazon.S3.Model;
using Archiver.Core.Diagnostics;

namespace Archiver.Core.Storage.S3;

/// <summary>
/// Removes objects for good: every version and delete marker of exactly these keys, and the parts of uploads that never became one, then
/// lists again and asks for each of them by name. Only that says that a key is gone, whatever the server answered before, or did not
/// answer: an empty listing alone may be a proxy's. No run calls it.
/// </summary>
internal sealed class S3Removal(S3Bucket bucket, IReadOnlyCollection<ObjectName> names)
{
    private readonly ILookup<string, string?> _known = names.ToLookup(n => n.Key, n => n.VersionId, StringComparer.Ordinal);

    private readonly ConcurrentDictionary<string, IReadOnlyList<ListedVersion>> _listed = new(StringComparer.Ordinal);

    // No key begins as gone: whatever ends this early, and wherever, what was not confirmed is a failure.
    private readonly ConcurrentDictionary<string, bool> _gone = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, StorageException> _reasons = new(StringComparer.Ordinal);
    private StorageException? _outage;

    /// <summary>Keys that are not in the outcome's failures are gone.</summary>
    public async Task<RemovalOutcome> RunAsync(CancellationToken cancellationToken)
    {
        if (names.Count == 0)
            return new(_reasons, null);
        await EachAsync(async (key, token) => _listed[key] = await VersionsAsync(key, token), cancellationToken);
        if (_outage is null)
        {
            KeyVersion[] versions =
            [
                .. _listed.SelectMany(l => l.Value.Select(v => new KeyVersion { Key = l.Key, VersionId = v.VersionId })),
            ];
            var refused = await new S3BulkDelete(bucket).RunAsync(versions, cancellationToken);
            var uploads = await new S3UploadRemoval(bucket, Keys).RunAsync(cancellationToken);
            await EachAsync(
                (key, token) => ConfirmAsync(key, refused.GetValueOrDefault(key), uploads.GetValueOrDefault(key), token),
                cancellationToken
            );
        }
        return new(Keys.Where(k => !_gone.ContainsKey(k)).ToDictionary(k => k, Reason, StringComparer.Ordinal), _outage);
    }

    /// <summary>Refused or not answered and gone all the same: an answer was lost, or somebody else did it.</summary>
    private async Task ConfirmAsync(string key, StorageException? refused, StorageException? uploads, CancellationToken cancellationToken)
    {
        if (await VersionsAsync(key, cancellationToken) is { Count: > 0 } left)
            throw refused
                ?? _reasons.GetValueOrDefault(key)
                ?? new StorageException(
                    StorageFailure.Transient,
                    $"'{key}' still has {Counted.Of(left.Count, "version")} after its removal."
                );
        await RequireAbsentAsync(key, cancellationToken);
        if (uploads is not null)
            throw uploads;
        _gone[key] = true;
    }

    private async Task RequireAbsentAsync(string key, CancellationToken cancellationToken)
    {
        var listed = (_listed.GetValueOrDefault(key) ?? []).Where(v => !v.IsDeleteMarker).Select(v => S3Bucket.Version(v.VersionId));
        foreach (var version in listed.Concat(_known[key]).Append(null).Distinct())
        {
            await using var body = await new S3Reader(bucket).OpenAsync(new(key, version), 0, 1, cancellationToken);
            if (body is not null)
                throw new StorageException(
                    StorageFailure.Transient,
                    $"No version of '{key}' is listed any more, and "
                        + $"{(version is null ? "it" : $"its version {version}")} can still be read: {S3Errors.Server(bucket.Settings)} "
                        + "does not answer truly."
                );
        }
    }

    private ICollection<string> Keys => [.. _known.Select(k => k.Key)];

    /// <summary>
    /// Does something for every key, many at once. A store that does not answer ends it: each further key would wait for its timeout.
    /// </summary>
    private async Task EachAsync(Func<string, CancellationToken, Task> action, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var options = new ParallelOptions { MaxDegreeOfParallelism = bucket.Settings.UploadConcurrency, CancellationToken = stop.Token };
        try
        {
            await Parallel.ForEachAsync(Keys, options, async (key, token) =>
            {
                try
                {
                    await action(key, token);
                }
                catch (StorageException exception)
                {
                    _reasons[key] = exception;
                    // Without a cause it is the server's answer about this key alone.
                    if (exception.Failure != StorageFailure.Transient || exception.InnerException is null)
                        return;
                    Interlocked.CompareExchange(ref _outage, exception, null);
                    await stop.CancelAsync();
                }
            });
        }
        catch (OperationCanceledException) when (_outage is not null && !cancellationToken.IsCancellationRequested)
        {
            // Said by the outcome.
        }
    }

    private StorageException Reason(string key) =>
        _reasons.GetValueOrDefault(key)
        ?? new StorageException(StorageFailure.Transient, "not tried to the end: the store does not answer", _outage);

    private async Task<IReadOnlyList<ListedVersion>> VersionsAsync(string key, CancellationToken cancellationToken)
    {
        await foreach (var listed in S3VersionListing.ListAsync(bucket, key, cancellationToken))
        {
            // The prefix also finds 'key~2'; another session's object must not go. The key itself comes first.
            return listed.Key == key ? listed.Versions : [];
        }
        return [];
    }
}

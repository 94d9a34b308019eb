using System.Collections.Concurrent;
using Archiver.Core.Storage;

namespace Archiver.Core.Lifecycle;

/// <summary>
/// Removes objects for good, many at once: every version and delete marker, then a look whether they are gone. What is not confirmed gone is
/// a failure with a reason, never a success.
/// </summary>
internal sealed class ObjectRemoval(IArchiveStore store, int concurrency)
{
    /// <summary>Reason by key of what is still there; keys that are not in it are gone.</summary>
    /// <remarks>A store that does not answer ends it early; then keys that were not tried have that reason too.</remarks>
    public async Task<RemovalOutcome> RemoveAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        var failures = new ConcurrentDictionary<string, string>(keys.Select(k => KeyValuePair.Create(k, "not tried: the store does not answer")), StringComparer.Ordinal);
        StorageException? outage = null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = stop.Token };
        try
        {
            await Parallel.ForEachAsync(keys, options, async (key, token) =>
            {
                try
                {
                    await store.DeleteAllVersionsAsync(key, token).ConfigureAwait(false);
                    failures.TryRemove(key, out _);
                }
                catch (StorageException exception)
                {
                    failures[key] = exception.Message;
                    if (exception.Failure != StorageFailure.Transient)
                        return;
                    // Each further object would wait for the whole retry budget.
                    Interlocked.CompareExchange(ref outage, exception, null);
                    await stop.CancelAsync().ConfigureAwait(false);
                }
            }).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (outage is not null && !cancellationToken.IsCancellationRequested)
        {
            // Said by the outcome.
        }
        return new(failures, outage);
    }
}

/// <summary>What became of objects that were to be removed.</summary>
/// <param name="Failures">Reason by key of what is not confirmed gone.</param>
/// <param name="Outage">The store stopped answering; null when it did not.</param>
internal sealed record RemovalOutcome(IReadOnlyDictionary<string, string> Failures, StorageException? Outage)
{
    public bool IsGone(string key) => !Failures.ContainsKey(key);
}

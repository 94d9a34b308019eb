using System.Collections.Concurrent;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Worker.Jobs;

/// <summary>
/// The queue before each source: what is done with it in this process is done one after the other, each shard beside the others. Schedule
/// and trigger both go through it, so they wait instead of colliding.
/// </summary>
internal sealed class SourceTurns(ArchiverSettings settings, ServerWait servers, StoreRequests requests) : IDisposable
{
    private readonly ConcurrentDictionary<(string Source, Shard? Shard), SemaphoreSlim> _turns = new();

    /// <summary>Whether something has its turn, be it that it waits for something.</summary>
    public bool AnyTaken => _turns.Values.Any(t => t.CurrentCount == 0);

    /// <summary>The source of that name.</summary>
    public SourceSettings Find(string source) => settings.Sources.Single(s => s.Name == source);

    /// <summary>
    /// The same once its servers answer: an outage at the scheduled time delays what is due and does not cost it.
    /// </summary>
    public async Task<SourceSettings> FindReadyAsync(string source, CancellationToken cancellationToken)
    {
        var found = Find(source);
        await servers.UntilReadyAsync(found, cancellationToken);
        return found;
    }

    /// <summary>Does it when everything that came before is done.</summary>
    public async Task<T> TakeAsync<T>(SourceSettings source, Shard? shard, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        var turn = _turns.GetOrAdd((source.Name, shard), _ => new SemaphoreSlim(1));
        await turn.WaitAsync(cancellationToken);
        try
        {
            return await work();
        }
        finally
        {
            turn.Release();
            await requests.RecordAsync(source);
        }
    }

    /// <summary>Does it at once when everything that came before is done, and lets others begin beside it.</summary>
    public async Task<T> GoBesideAsync<T>(SourceSettings source, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        await TakeAsync(source, shard: null, () => Task.FromResult(true), cancellationToken);
        try
        {
            return await work();
        }
        finally
        {
            await requests.RecordAsync(source);
        }
    }

    public void Dispose()
    {
        foreach (var turn in _turns.Values)
            turn.Dispose();
    }
}

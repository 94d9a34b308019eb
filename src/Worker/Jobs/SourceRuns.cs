using System.Collections.Concurrent;
using Archiver.Core;
using Archiver.Core.Configuration;
using Archiver.Core.Ledger;
using Archiver.Core.Lifecycle;
using Archiver.Core.Policies;

namespace Archiver.Worker.Jobs;

/// <summary>Runs policies of a source one after another, in their order. Schedule and trigger both go through it, so they queue instead of colliding.</summary>
internal sealed class SourceRuns(ArchiverSettings settings, PolicyRunner runner, Discarder discarder, ServerWait servers, TimeProvider time) : IDisposable
{
    /// <summary>A dead or paused worker's lock goes with its connection, at the latest when the server ends that as idle; see <see cref="Core.Postgres.SourceLock"/>.</summary>
    private static readonly TimeSpan TakeOverWithin = TimeSpan.FromMinutes(4);

    private static readonly TimeSpan TakeOverPause = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<(string Source, Shard? Shard), SemaphoreSlim> _turns = new();

    /// <summary>Whether a run is going on, be it that it waits for something.</summary>
    public bool AtWork => _turns.Values.Any(t => t.CurrentCount == 0);

    /// <summary>Runs them as soon as the source's servers answer: an outage at the scheduled time delays a run and does not cost it.</summary>
    /// <param name="shard">Only this part of the source, beside its others; null for the whole source.</param>
    /// <param name="takeOver">Another worker began this and died, or is paused: its lock is waited for.</param>
    public async Task<IReadOnlyList<RunSummary>> RunWhenReadyAsync(
        string source, IReadOnlyCollection<string> policies, Shard? shard, bool takeOver, CancellationToken cancellationToken)
    {
        await servers.UntilReadyAsync(settings.Sources.Single(s => s.Name == source), cancellationToken).ConfigureAwait(false);
        return await RunAsync(source, policies, shard, takeOver, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs them now; what becomes of each is in its summary.</summary>
    public Task<IReadOnlyList<RunSummary>> RunAsync(string source, IReadOnlyCollection<string> policies, CancellationToken cancellationToken) =>
        RunAsync(source, policies, shard: null, takeOver: false, cancellationToken);

    private async Task<IReadOnlyList<RunSummary>> RunAsync(
        string source, IReadOnlyCollection<string> policies, Shard? shard, bool takeOver, CancellationToken cancellationToken)
    {
        var turn = Turn(source, shard);
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            List<RunSummary> summaries = [];
            var settingsOfSource = settings.Sources.Single(s => s.Name == source);
            foreach (var policy in settingsOfSource.Policies.Where(p => policies.Contains(p.Name)))
            {
                summaries.Add(await RunAsync(new RunRequest(settingsOfSource, policy, Shard: shard), takeOver, cancellationToken).ConfigureAwait(false));
                if (cancellationToken.IsCancellationRequested)
                    break;
            }
            return summaries;
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task<RunSummary> RunAsync(RunRequest request, bool takeOver, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var summary = await runner.RunAsync(request, progress: null, cancellationToken).ConfigureAwait(false);
            if (!takeOver || summary.Outcome != RunOutcome.LockedElsewhere || time.GetElapsedTime(began) > TakeOverWithin)
                return summary;
            await Task.Delay(TakeOverPause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private SemaphoreSlim Turn(string source, Shard? shard) => _turns.GetOrAdd((source, shard), _ => new SemaphoreSlim(1));

    /// <summary>Discards what is due, in its turn; the outcome is in the log and the ledger.</summary>
    public async Task DiscardWhenReadyAsync(string source, string who, CancellationToken cancellationToken)
    {
        var settingsOfSource = settings.Sources.Single(s => s.Name == source);
        await servers.UntilReadyAsync(settingsOfSource, cancellationToken).ConfigureAwait(false);
        var turn = Turn(source, shard: null);
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await discarder.RunAsync(settingsOfSource, who, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose()
    {
        foreach (var turn in _turns.Values)
            turn.Dispose();
    }
}

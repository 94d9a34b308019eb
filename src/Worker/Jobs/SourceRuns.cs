using System.Collections.Concurrent;
using Archiver.Core.Diagnostics;
using Archiver.Core.Discard;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Proofs;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Worker.Jobs;

/// <summary>
/// Runs policies of a source one after another, in their order. Schedule and trigger both go through it, so they queue instead of
/// colliding.
/// </summary>
internal sealed class SourceRuns(
    ArchiverSettings settings,
    PolicyRunner runner,
    Discarder discarder,
    ProofRunner proofs,
    StoreRequests requests,
    ServerWait servers,
    TimeProvider time
) : IDisposable
{
    /// <summary>
    /// A dead or paused worker's lock goes with its connection, at the latest when the server ends that as idle; see
    /// <see cref="Core.Postgres.SourceLock"/>.
    /// </summary>
    private static readonly TimeSpan TakeOverWithin = TimeSpan.FromMinutes(4);

    private static readonly TimeSpan TakeOverPause = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<(string Source, Shard? Shard), SemaphoreSlim> _turns = new();

    /// <summary>Whether a run is going on, be it that it waits for something.</summary>
    public bool AtWork => _turns.Values.Any(t => t.CurrentCount == 0);

    /// <summary>
    /// Runs them as soon as the source's servers answer: an outage at the scheduled time delays a run and does not cost it.
    /// </summary>
    /// <param name="shard">Only this part of the source, beside its others; null for the whole source.</param>
    /// <param name="takeOver">Another worker began this and died, or is paused: its lock is waited for.</param>
    public async Task<IReadOnlyList<RunSummary>> RunWhenReadyAsync(
        string source,
        IReadOnlyCollection<string> policies,
        Shard? shard,
        bool takeOver,
        CancellationToken cancellationToken
    )
    {
        await servers.UntilReadyAsync(settings.Sources.Single(s => s.Name == source), cancellationToken);
        return await RunAsync(source, policies, shard, takeOver, cancellationToken);
    }

    /// <summary>Runs them now; what becomes of each is in its summary.</summary>
    public Task<IReadOnlyList<RunSummary>> RunAsync(
        string source,
        IReadOnlyCollection<string> policies,
        CancellationToken cancellationToken
    ) => RunAsync(source, policies, shard: null, takeOver: false, cancellationToken);

    private async Task<IReadOnlyList<RunSummary>> RunAsync(
        string source,
        IReadOnlyCollection<string> policies,
        Shard? shard,
        bool takeOver,
        CancellationToken cancellationToken
    )
    {
        var settingsOfSource = settings.Sources.Single(s => s.Name == source);
        return await InTurnAsync(
            settingsOfSource,
            shard,
            async () =>
            {
                List<RunSummary> summaries = [];
                foreach (var policy in settingsOfSource.Policies.Where(p => policies.Contains(p.Name)))
                {
                    summaries.Add(await RunAsync(new RunRequest(settingsOfSource, policy, Shard: shard), takeOver, cancellationToken));
                    if (cancellationToken.IsCancellationRequested)
                        break;
                }
                return summaries;
            },
            cancellationToken
        );
    }

    private async Task<RunSummary> RunAsync(RunRequest request, bool takeOver, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var summary = await runner.RunAsync(request, progress: null, cancellationToken);
            if (!takeOver || summary.Outcome != RunOutcome.LockedElsewhere || time.GetElapsedTime(began) > TakeOverWithin)
                return summary;
            await Task.Delay(TakeOverPause, time, cancellationToken);
        }
    }

    /// <summary>Discards what is due, in its turn; the outcome is in the log and the ledger.</summary>
    public async Task DiscardWhenReadyAsync(string source, string who, CancellationToken cancellationToken)
    {
        var settingsOfSource = settings.Sources.Single(s => s.Name == source);
        await servers.UntilReadyAsync(settingsOfSource, cancellationToken);
        await InTurnAsync(
            settingsOfSource,
            shard: null,
            () => discarder.RunAsync(settingsOfSource, who, cancellationToken),
            cancellationToken
        );
    }

    /// <summary>
    /// Does a proof when no run of this worker is going on; the outcome is in the log and the ledger. One that only reads then lets runs
    /// begin beside it: reading a large part of an archive takes long, and nobody's run is to wait for that.
    /// </summary>
    public async Task ProveWhenReadyAsync(string source, Proof proof, string who, CancellationToken cancellationToken)
    {
        var settingsOfSource = settings.Sources.Single(s => s.Name == source);
        await servers.UntilReadyAsync(settingsOfSource, cancellationToken);
        Task<bool> ProveAsync() => RunAsync(settingsOfSource, proof, who, cancellationToken);
        if (proof == Proof.Reconcile)
        {
            await InTurnAsync(settingsOfSource, shard: null, ProveAsync, cancellationToken);
            return;
        }
        await InTurnAsync(settingsOfSource, shard: null, () => Task.FromResult(true), cancellationToken);
        try
        {
            await ProveAsync();
        }
        finally
        {
            await requests.RecordAsync(settingsOfSource);
        }
    }

    private async Task<bool> RunAsync(SourceSettings source, Proof proof, string who, CancellationToken cancellationToken)
    {
        await proofs.RunAsync(source, proof, who, cancellationToken);
        return true;
    }

    private async Task<T> InTurnAsync<T>(SourceSettings source, Shard? shard, Func<Task<T>> work, CancellationToken cancellationToken)
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

    public void Dispose()
    {
        foreach (var turn in _turns.Values)
            turn.Dispose();
    }
}

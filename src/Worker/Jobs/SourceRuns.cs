using Archiver.Core.Diagnostics;
using Archiver.Core.Discard;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Proofs;
using Archiver.Core.Settings;

namespace Archiver.Worker.Jobs;

/// <summary>What is run of a source, each in its turn: policies one after another in their order, the discard, the proofs.</summary>
internal sealed class SourceRuns(SourceTurns turns, PolicyRunner runner, Discarder discarder, ProofRunner proofs, TimeProvider time)
{
    /// <summary>
    /// A dead or paused worker's lock goes with its connection, at the latest when the server ends that as idle; see
    /// <see cref="Core.Postgres.SourceLock"/>.
    /// </summary>
    private static readonly TimeSpan TakeOverWithin = TimeSpan.FromMinutes(4);

    private static readonly TimeSpan TakeOverPause = TimeSpan.FromSeconds(5);

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
        var ready = await turns.FindReadyAsync(source, cancellationToken);
        return await RunAsync(ready, policies, shard, takeOver, cancellationToken);
    }

    /// <summary>Runs them now; what becomes of each is in its summary.</summary>
    public Task<IReadOnlyList<RunSummary>> RunAsync(
        string source,
        IReadOnlyCollection<string> policies,
        CancellationToken cancellationToken
    ) => RunAsync(turns.Find(source), policies, shard: null, takeOver: false, cancellationToken);

    private Task<IReadOnlyList<RunSummary>> RunAsync(
        SourceSettings source,
        IReadOnlyCollection<string> policies,
        Shard? shard,
        bool takeOver,
        CancellationToken cancellationToken
    ) =>
        turns.TakeAsync<IReadOnlyList<RunSummary>>(
            source,
            shard,
            async () =>
            {
                List<RunSummary> summaries = [];
                foreach (var policy in source.Policies.Where(p => policies.Contains(p.Name)))
                {
                    summaries.Add(await RunAsync(new RunRequest(source, policy, Shard: shard), takeOver, cancellationToken));
                    if (cancellationToken.IsCancellationRequested)
                        break;
                }
                return summaries;
            },
            cancellationToken
        );

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
        var ready = await turns.FindReadyAsync(source, cancellationToken);
        await turns.TakeAsync(ready, shard: null, () => discarder.RunAsync(ready, who, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// Does a proof when no run of this worker is going on; the outcome is in the log and the ledger. One that only reads then lets runs
    /// begin beside it: reading a large part of an archive takes long, and nobody's run is to wait for that.
    /// </summary>
    public async Task ProveWhenReadyAsync(string source, Proof proof, string who, CancellationToken cancellationToken)
    {
        var ready = await turns.FindReadyAsync(source, cancellationToken);
        if (proof == Proof.Reconcile)
            await turns.TakeAsync(ready, shard: null, ProveAsync, cancellationToken);
        else
            await turns.GoBesideAsync(ready, ProveAsync, cancellationToken);

        async Task<bool> ProveAsync()
        {
            await proofs.RunAsync(ready, proof, who, cancellationToken);
            return true;
        }
    }
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Purge;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Pipelines;

/// <summary>The run of a policy that stores nothing, purge or expire: select a batch, change it, and so on until nothing is left or a bound is reached.</summary>
internal sealed class LifecyclePipeline(
    RunScope scope, IBatchAction action, SessionOutcomes outcomes, DatabaseRetry retry, RunTally tally, RunLimits limits, TimeProvider time, ILogger logger)
{
    private readonly RunContext _run = scope.Context;

    /// <summary>Changes up to <paramref name="limit"/> sessions.</summary>
    public async Task RunAsync(long limit, Action? moved, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, scope.Lost);
        try
        {
            await ChangeAsync(limit, moved, stop.Token);
        }
        catch (OperationCanceledException) when (scope.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ArchiverException(FailureKind.Failed, $"The run's lock on source '{_run.Source.Name}' was lost: its connection to the server broke. The batch in hand was dropped; nothing of it was changed.");
        }
    }

    private async Task ChangeAsync(long limit, Action? moved, CancellationToken cancellationToken)
    {
        // An expiry touches one row a session.
        var selector = new BatchSelector(_run, measured: _run.Policy.Action == PolicyAction.Purge);
        while (await retry.ExecuteAsync(token => selector.NextAsync(Math.Min(limit, limits.Pace.Sessions), token), cancellationToken) is { } selected)
        {
            if (await limits.EndRunAsync(retry, tally, cancellationToken))
                return;
            limit -= selected.Sessions.Count;
            tally.AddSelected(selected.Sessions.Count);
            FaultPoint.Reach(FaultPoints.ChangeSelected);
            using var trace = Traces.Batch();
            using var span = Traces.Stage(_run.Policy.Action == PolicyAction.Purge ? "delete" : "expire", trace);
            var began = time.GetTimestamp();
            var changed = await action.ApplyAsync(selected, cancellationToken);
            // A batch that came to a timeout, and was halved, took longer than the pace allows.
            limits.Changed(selected.Sessions.Count, time.GetElapsedTime(began));
            FaultPoint.Reach(FaultPoints.ChangeCommitted);
            Traces.Note(changed.Done.Count, changed.Rows, bytes: 0);
            tally.AddDone(changed.Done.Count, changed.Rows, jsonBytes: 0, storedBytes: 0);
            await outcomes.DropAsync(changed.Dropped, cancellationToken);
            await outcomes.ForgetFailuresAsync(changed.Done, cancellationToken);
            FaultPoint.Reach(FaultPoints.ChangeCounted);
            logger.BatchCommitted(_run.Id, changed.Done.Count, changed.Rows, changed.Dropped.Count);
            moved?.Invoke();
            await limits.PauseAsync(cancellationToken);
        }
    }
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Purge;
using Archiver.Core.Selection;
using Archiver.Core.Settings;

namespace Archiver.Core.Pipelines;

/// <summary>
/// The run of a policy that stores nothing, purge or expire: select a batch, change it, and so on until nothing is left or a bound is
/// reached.
/// </summary>
internal sealed class LifecyclePipeline(RunFrame frame, IBatchAction action)
{
    private readonly RunContext _run = frame.Run;

    /// <summary>Changes up to <paramref name="limit"/> sessions; returns how many of it are used up.</summary>
    public Task<long> RunAsync(long limit, Action? moved, CancellationToken cancellationToken) =>
        frame.WhileLockedAsync(token => ChangeAsync(limit, moved, token), cancellationToken);

    private async Task<long> ChangeAsync(long limit, Action? moved, CancellationToken cancellationToken)
    {
        // An expiry touches one row a session.
        var selector = new BatchSelector(_run, measured: _run.Policy.Action == PolicyAction.Purge);
        var taken = 0L;
        while (
            await frame.Retry.ExecuteAsync(
                token => selector.NextAsync(Math.Min(limit - taken, frame.Limits.BatchSize.Sessions), token),
                cancellationToken
            )
                is { } selected
        )
        {
            if (await frame.EndsAsync(cancellationToken))
                break;
            taken += selected.Sessions.Count;
            frame.Tally.AddSelected(selected.Sessions.Count);
            FaultPoint.Reach(FaultPoints.ChangeSelected);
            using var trace = Traces.Batch();
            using var span = Traces.Stage(_run.Policy.Action == PolicyAction.Purge ? "delete" : "expire", trace);
            var began = frame.Meter.Now;
            var changed = await action.ApplyAsync(selected, cancellationToken);
            // A batch that came to a timeout, and was halved, took longer than the pace allows.
            frame.Limits.Changed(selected.Sessions.Count, frame.Meter.Since(began));
            FaultPoint.Reach(FaultPoints.ChangeCommitted);
            Traces.Note(changed.Done.Count, changed.Rows, bytes: 0);
            frame.Tally.AddDone(changed.Done.Count, changed.Rows, jsonBytes: 0, storedBytes: 0);
            await frame.Outcomes.DropAsync(changed.Dropped, cancellationToken);
            taken -= changed.Dropped.Count(d => d.StaysOfItself);
            await frame.Outcomes.ForgetFailuresAsync(changed.Done, cancellationToken);
            FaultPoint.Reach(FaultPoints.ChangeCounted);
            frame.Logger.BatchCommitted(_run.Id, changed.Done.Count, changed.Rows, changed.Dropped.Count);
            moved?.Invoke();
            await frame.Limits.PauseAsync(cancellationToken);
        }
        return taken;
    }
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Selection;
using Archiver.Core.Sources;

namespace Archiver.Core.Pipelines;

/// <summary>The first stage of an archive pipeline: selects batch after batch and exports each, until nothing is left or a bound of the run is reached.</summary>
internal sealed class ExportStage(RunContext run, BatchExports exports, DatabaseRetry retry, RunLimits limits, RunTally tally)
{
    private readonly BatchSelector _selector = new(run, measured: false);
    private long _left;

    /// <summary>Exports up to <paramref name="most"/> sessions; whoever takes a batch owns it.</summary>
    public async Task RunAsync(long most, Func<ExportedBatch, CancellationToken, Task> handOver, CancellationToken cancellationToken)
    {
        _left = most;
        while (await retry.ExecuteAsync(token => _selector.NextAsync(Math.Min(_left, limits.Pace.Sessions), token), cancellationToken) is { } selected)
        {
            if (await limits.EndRunAsync(retry, tally, cancellationToken))
                return;
            _left -= selected.Sessions.Count;
            tally.AddSelected(selected.Sessions.Count);
            FaultPoint.Reach(FaultPoints.Selected);
            await foreach (var batch in exports.ExportAsync(selected, GiveBack, cancellationToken))
            {
                _selector.Learn(batch.Sessions.Count, batch.Sessions.Sum(s => s.Rows), batch.Sessions.Sum(s => s.Session.Bytes));
                await handOver(batch, cancellationToken);
            }
        }
    }

    private void GiveBack(IReadOnlyList<SelectedSession> sessions)
    {
        _selector.GiveBack(sessions);
        _left += sessions.Count;
        tally.AddSelected(-sessions.Count);
    }
}

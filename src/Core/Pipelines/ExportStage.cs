using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Selection;

namespace Archiver.Core.Pipelines;

/// <summary>
/// The first stage of an archive pipeline: selects batch after batch and exports each, until nothing is left or a bound of the run is
/// reached.
/// </summary>
internal sealed class ExportStage(RunFrame frame, BatchExports exports)
{
    private readonly BatchSelector _selector = new(frame.Run, measured: false);
    private long _left;

    /// <summary>Exports up to <paramref name="most"/> sessions; whoever takes a batch owns it.</summary>
    public async Task RunAsync(long most, Func<ExportedBatch, CancellationToken, Task> handOver, CancellationToken cancellationToken)
    {
        _left = most;
        while (
            await frame.Retry.ExecuteAsync(
                token => _selector.NextAsync(Math.Min(_left + exports.Skipped, frame.Limits.BatchSize.Sessions), token),
                cancellationToken
            )
                is { } selected
        )
        {
            if (await frame.EndsAsync(cancellationToken))
                return;
            _left -= selected.Sessions.Count;
            frame.Tally.AddSelected(selected.Sessions.Count);
            FaultPoint.Reach(FaultPoints.Selected);
            await foreach (var batch in exports.ExportAsync(selected, GiveBack, cancellationToken))
            {
                _selector.Learn(batch.Sessions.Count, batch.Sessions.Sum(s => s.Rows), batch.Sessions.Sum(s => s.Session.Bytes));
                await handOver(batch, cancellationToken);
            }
            _selector.Follow(exports.Shape);
        }
    }

    private void GiveBack(IReadOnlyList<SelectedSession> sessions)
    {
        _selector.GiveBack(sessions);
        _left += sessions.Count;
        frame.Tally.AddSelected(-sessions.Count);
    }
}

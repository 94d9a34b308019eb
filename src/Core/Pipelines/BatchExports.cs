using System.Runtime.CompilerServices;
using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Sources;
using Archiver.Core.Spool;
using Npgsql;

namespace Archiver.Core.Pipelines;

/// <summary>
/// Exports selected batches. One that the server chokes on is exported in halves, until the session is found that it cannot deliver.
/// </summary>
internal sealed class BatchExports(RunFrame frame, BatchExporter exporter, ExportServer server)
{
    private bool _toldOfLock;

    /// <summary>The tables as the last export found them.</summary>
    public SourceShape Shape => exporter.Shape;

    /// <summary>Sessions so far of which nothing was exported because they stay; they take none of the run's bound.</summary>
    public long Skipped { get; private set; }

    /// <summary>The batch, or its parts, as they are exported; the caller owns each. What was dropped is noted.</summary>
    /// <param name="selected">The batch.</param>
    /// <param name="giveBack">Takes the sessions that did not fit, in their order; what was exported is less by these.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async IAsyncEnumerable<ExportedBatch> ExportAsync(
        SelectedBatch selected,
        Action<IReadOnlyList<SelectedSession>> giveBack,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var parts = new Stack<SelectedBatch>([selected]);
        while (parts.TryPop(out var part))
        {
            if (await TryExportAsync(part, parts, giveBack, cancellationToken) is { } batch)
                yield return batch;
        }
    }

    /// <summary>
    /// Null when nothing of the batch is left; a batch that the server chokes on comes back as two halves in <paramref name="parts"/>.
    /// </summary>
    private async Task<ExportedBatch?> TryExportAsync(
        SelectedBatch batch,
        Stack<SelectedBatch> parts,
        Action<IReadOnlyList<SelectedSession>> giveBack,
        CancellationToken cancellationToken
    )
    {
        var trace = Traces.Batch();
        try
        {
            using var span = Traces.Stage("export", trace);
            var began = frame.Meter.Now;
            var exported = await server.NamedAsync(() =>
                frame.Retry.ExecuteAsync(token => exporter.ExportAsync(batch, token), cancellationToken)
            );
            FaultPoint.Reach(FaultPoints.Exported);
            frame.Meter.Record("export", began, exported.Sessions);
            frame.Limits.Exported(frame.Meter.Since(began));
            // The exported batch has it from here on.
            trace = null;
            await frame.Outcomes.DropAsync(exported.Dropped, cancellationToken);
            Skipped += exported.Dropped.Count(d => d.StaysOfItself);
            if (exported.Left.Count > 0)
            {
                giveBack([.. exported.Left, .. parts.SelectMany(p => p.Sessions)]);
                parts.Clear();
            }
            if (exported.Sessions.Count > 0)
                return exported;
            await exported.DisposeAsync();
            return null;
        }
        catch (PostgresException exception) when (exception.IsLockTimeout() && !cancellationToken.IsCancellationRequested)
        {
            // It is a table that somebody has locked, and no session's fault.
            await LeaveLockedAsync(batch, exception, cancellationToken);
            return null;
        }
        catch (PostgresException exception) when (exception.IsAboutOneBatch() && !cancellationToken.IsCancellationRequested)
        {
            await DivideAsync(batch, parts, $"{DropReason.Unreadable} ({exception.SqlState})", exception.SqlState, cancellationToken);
            return null;
        }
        catch (SpoolException exception)
        {
            // Small documents need no file: only those go without that do.
            frame.Logger.NoRoomToSpool(exception.Message);
            await DivideAsync(batch, parts, DropReason.NoRoom, DropReason.NoRoom, cancellationToken);
            return null;
        }
        finally
        {
            trace?.Dispose();
        }
    }

    private async Task LeaveLockedAsync(SelectedBatch batch, PostgresException exception, CancellationToken cancellationToken)
    {
        if (!_toldOfLock)
            frame.Logger.ExportNotLocked(frame.Run.Id, (await frame.Run.Connections.ForPersonAsync(exception)).Message);
        _toldOfLock = true;
        await frame.Outcomes.DropAsync(batch.Dropped(DropReason.Locked), cancellationToken);
    }

    private async Task DivideAsync(
        SelectedBatch batch,
        Stack<SelectedBatch> parts,
        string reason,
        string code,
        CancellationToken cancellationToken
    )
    {
        if (batch.Sessions.Count == 1)
        {
            await frame.Outcomes.DropAsync([new(batch.Sessions[0].Key, reason, Failed: true)], cancellationToken);
            return;
        }
        frame.Logger.BatchHalved(batch.Sessions.Count, code);
        frame.Limits.BatchSize.SlowDown(batch.Sessions.Count);
        var (first, second) = batch.Halve();
        parts.Push(second);
        parts.Push(first);
    }
}

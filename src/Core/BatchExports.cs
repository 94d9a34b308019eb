using System.Runtime.CompilerServices;
using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core;

/// <summary>Exports selected batches. One that the server chokes on is exported in halves, until the session is found that it cannot deliver.</summary>
internal sealed class BatchExports(BatchExporter exporter, ExportServer server, DatabaseRetry retry, SessionOutcomes outcomes, BatchPace pace, PhaseMeter meter, ILogger logger)
{
    /// <summary>The batch, or its parts, as they are exported; the caller owns each. What was dropped is noted.</summary>
    public async IAsyncEnumerable<ExportedBatch> ExportAsync(SelectedBatch selected, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var parts = new Stack<SelectedBatch>([selected]);
        while (parts.TryPop(out var part))
        {
            if (await TryExportAsync(part, parts, cancellationToken).ConfigureAwait(false) is { } batch)
                yield return batch;
        }
    }

    /// <summary>Null when nothing of the batch is left; a batch that the server chokes on comes back as two halves in <paramref name="parts"/>.</summary>
    private async Task<ExportedBatch?> TryExportAsync(SelectedBatch batch, Stack<SelectedBatch> parts, CancellationToken cancellationToken)
    {
        try
        {
            var began = meter.Now;
            var exported = await server.NamedAsync(() => retry.ExecuteAsync(token => exporter.ExportAsync(batch, token), cancellationToken)).ConfigureAwait(false);
            FaultPoint.Reach(FaultPoints.Exported);
            meter.Record("export", began, exported.Sessions);
            await outcomes.DropAsync(exported.Dropped, cancellationToken).ConfigureAwait(false);
            if (exported.Sessions.Count > 0)
                return exported;
            await exported.DisposeAsync().ConfigureAwait(false);
            return null;
        }
        catch (PostgresException exception) when (exception.IsAboutOneBatch() && !cancellationToken.IsCancellationRequested)
        {
            await DivideAsync(batch, parts, $"{DropReason.Unreadable} ({exception.SqlState})", exception.SqlState, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (SpoolException exception)
        {
            // Small documents need no file: only those go without that do.
            logger.NoRoomToSpool(exception.Message);
            await DivideAsync(batch, parts, DropReason.NoRoom, DropReason.NoRoom, cancellationToken).ConfigureAwait(false);
            return null;
        }
    }

    private async Task DivideAsync(SelectedBatch batch, Stack<SelectedBatch> parts, string reason, string code, CancellationToken cancellationToken)
    {
        if (batch.Sessions.Count == 1)
        {
            await outcomes.DropAsync([new(batch.Sessions[0].Key, reason, Failed: true)], cancellationToken).ConfigureAwait(false);
            return;
        }
        logger.BatchHalved(batch.Sessions.Count, code);
        pace.SlowDown(batch.Sessions.Count);
        var (first, second) = batch.Halve();
        parts.Push(second);
        parts.Push(first);
    }
}

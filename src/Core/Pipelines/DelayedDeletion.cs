using System.IO.Compression;
using Archiver.Core.Bucket;
using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Archiver.Core.Verification;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Pipelines;

/// <summary>
/// The second half of a policy with <c>DeleteAfter</c>: what was stored that long ago is exported again under this run's lease, compared
/// with its object, which is read back once more, and deleted like any other batch. A session that is not what is stored stays, its archive
/// becomes <c>superseded</c>, and it may be stored again.
/// </summary>
internal sealed class DelayedDeletion(RunScope scope, ArchiverSettings settings, IArchiveReader store, ArchiveLedger ledger, DatabaseRetry retry, StoredSessions storedSessions,
    SessionOutcomes outcomes, RunTally tally, RunLimits limits, PhaseMeter meter, TombstoneSet erased, TimeProvider time, ILogger logger)
{
    private readonly RunContext _run = scope.Context;
    private readonly PhaseMeter _meter = meter;

    /// <summary>Deletes up to <paramref name="limit"/> sessions; returns how many it took in hand.</summary>
    public async Task<long> RunAsync(long limit, Action? moved, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, scope.Lost);
        try
        {
            return await DeleteAsync(limit, moved, stop.Token);
        }
        catch (OperationCanceledException) when (scope.Lost.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ArchiverException(FailureKind.Failed, $"The run's lock on source '{_run.Source.Name}' was lost: its connection to the server broke. The batch in hand was dropped; nothing of it was deleted.");
        }
    }

    private async Task<long> DeleteAsync(long limit, Action? moved, CancellationToken cancellationToken)
    {
        var selector = new DueSelector(_run);
        var server = new ExportServer(_run, settings.Retry.Budget, time);
        // The documents are compared and thrown away.
        var exports = new BatchExports(new BatchExporter(_run, CompressionLevel.Fastest, server, stored: true), server, retry, outcomes, limits, _meter, erased, _run.Cutoffs.Now, logger);
        var taken = 0L;
        while (await retry.ExecuteAsync(token => selector.NextAsync(Math.Min(limit - taken, limits.Pace.Sessions), token), cancellationToken) is var (selected, archives))
        {
            if (await limits.EndRunAsync(retry, tally, cancellationToken))
                break;
            taken += selected.Sessions.Count;
            tally.AddSelected(selected.Sessions.Count);
            FaultPoint.Reach(FaultPoints.DelayedSelected);
            await foreach (var batch in exports.ExportAsync(selected, NothingLeft, cancellationToken))
            {
                await using (batch)
                    await DeleteAsync(batch, archives, cancellationToken);
                moved?.Invoke();
            }
            await limits.PauseAsync(cancellationToken);
        }
        return taken;
    }

    private async Task DeleteAsync(ExportedBatch batch, IReadOnlyDictionary<string, DueArchive> archives, CancellationToken cancellationToken)
    {
        var span = Traces.Stage("verify", batch.Trace);
        var began = _meter.Now;
        var verifier = new ObjectVerifier(store, _run.Source.Map.Session.Key);
        var verified = await VerifiedBatch.ReverifyAsync(batch, archives, verifier, settings.Storage.UploadConcurrency, cancellationToken);
        FaultPoint.Reach(FaultPoints.Reverified);
        _meter.Record("verify", began, [.. verified.Sessions.Select(s => s.Session)]);
        span.Dispose();
        // Noted as failed before it counts as live: else this very run would store it again, and a bad bucket get a copy a run.
        await outcomes.DropAsync([.. verified.Rejected.Select(r => new DroppedSession(r.Key, r.Reason, Failed: r.Reason != DropReason.Changed))], cancellationToken);
        await storedSessions.SupersedeAsync([.. verified.Rejected.Select(r => Over(archives[r.Key], r.Reason))], cancellationToken);
        FaultPoint.Reach(FaultPoints.DelayedSuperseded);
        if (verified.Sessions.Count == 0)
            return;
        using var deleting = Traces.Stage("delete", batch.Trace);
        began = _meter.Now;
        var deleted = await new BatchDeleter(_run, ledger, retry).DeleteAsync(verified, cancellationToken);
        limits.Changed(verified.Sessions.Count, time.GetElapsedTime(began));
        FaultPoint.Reach(FaultPoints.DelayedCommitted);
        _meter.Record("delete", began, [.. deleted.Archived.Select(s => s.Session)]);
        tally.AddDelayed(deleted.Archived.Count, deleted.RowsDeleted);
        await outcomes.DropAsync(deleted.Dropped, cancellationToken);
        await outcomes.ForgetFailuresAsync(deleted.Archived.Select(s => s.Key), cancellationToken);
        logger.BatchCommitted(_run.Id, deleted.Archived.Count, deleted.RowsDeleted, deleted.Dropped.Count);
    }

    private static void NothingLeft(IReadOnlyList<SelectedSession> sessions) => throw new InvalidOperationException("The sizes of what is stored are known; its batches fit when they are selected.");

    private static StoredArchive Over(DueArchive archive, string reason) =>
        new(archive.Id, archive.Key, archive.Mark, reason == DropReason.Changed ? StoredSessions.Changed : reason) { HasFailed = reason != DropReason.Changed };
}

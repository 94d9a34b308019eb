using System.IO.Compression;
using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Selection;
using Archiver.Core.Verification;

namespace Archiver.Core.Pipelines;

/// <summary>
/// The second half of a policy with <c>DeleteAfter</c>: what was stored that long ago is exported again under this run's lease, compared
/// with its object, which is read back once more, and deleted like any other batch. A session that is not what is stored stays, its archive
/// becomes <c>superseded</c>, and it may be stored again.
/// </summary>
internal sealed class DelayedDeletion(RunFrame frame, SupersededSessions superseded)
{
    /// <summary>Deletes up to <paramref name="limit"/> sessions; returns how many of it are used up.</summary>
    public Task<long> RunAsync(long limit, Action? moved, CancellationToken cancellationToken) =>
        frame.WhileLockedAsync(token => DeleteAsync(limit, moved, token), cancellationToken);

    private async Task<long> DeleteAsync(long limit, Action? moved, CancellationToken cancellationToken)
    {
        var selector = new DelayedDeleteSelector(frame.Run);
        var server = new ExportServer(frame.Run, frame.Settings.Retry.Budget, frame.Time);
        // The documents are compared and thrown away.
        var exporter = new BatchExporter(frame.Run, CompressionLevel.Fastest, server, stored: true, erased: frame.Erased);
        var exports = new BatchExports(frame, exporter, server);
        var taken = 0L;
        long Counted() => taken - exports.Skipped;
        while (
            await frame.Retry.ExecuteAsync(
                token => selector.NextAsync(Math.Min(limit - Counted(), frame.Limits.BatchSize.Sessions), token),
                cancellationToken
            )
                is var (selected, archives)
        )
        {
            if (await frame.EndsAsync(cancellationToken))
                break;
            taken += selected.Sessions.Count;
            frame.Tally.AddSelected(selected.Sessions.Count);
            FaultPoint.Reach(FaultPoints.DelayedSelected);
            await foreach (var batch in exports.ExportAsync(selected, NothingLeft, cancellationToken))
            {
                await using (batch)
                    await DeleteAsync(batch, archives, cancellationToken);
                moved?.Invoke();
            }
            await frame.Limits.PauseAsync(cancellationToken);
        }
        return Counted();
    }

    private async Task DeleteAsync(
        ExportedBatch batch,
        IReadOnlyDictionary<string, DueArchive> archives,
        CancellationToken cancellationToken
    )
    {
        var verified = await ReverifyAsync(batch, archives, cancellationToken);
        // Noted as failed before it counts as live: else this very run would store it again, and a bad bucket get a copy a run.
        await frame.Outcomes.DropAsync(
            [.. verified.Rejected.Select(r => new DroppedSession(r.Key, r.Reason, Failed: r.Reason != DropReason.Changed))],
            cancellationToken
        );
        await SupersedeAsync(
            [
                .. verified.Rejected.Select(r =>
                    r.Reason == DropReason.Changed
                        ? Over(archives[r.Key], StoredSessions.Changed)
                        : Over(archives[r.Key], r.Reason) with
                        {
                            HasFailed = true,
                        }
                ),
            ],
            cancellationToken
        );
        if (verified.Sessions.Count == 0)
            return;
        using var deleting = Traces.Stage("delete", batch.Trace);
        var began = frame.Meter.Now;
        var deleted = await new BatchDeleter(frame.Run, frame.Ledger, frame.Retry).DeleteAsync(verified, cancellationToken);
        frame.Limits.Changed(verified.Sessions.Count, frame.Meter.Since(began));
        FaultPoint.Reach(FaultPoints.DelayedCommitted);
        frame.Meter.Record("delete", began, [.. deleted.Archived.Select(s => s.Session)]);
        frame.Tally.AddDelayed(deleted.Archived.Count, deleted.RowsDeleted);
        await frame.Outcomes.DropAsync(deleted.Dropped, cancellationToken);
        // Else it would be asked, read back and left again by every run, and stay hidden behind its mark.
        var left = deleted.Dropped.Where(d => d.Reason == DropReason.NoLongerEligible);
        await SupersedeAsync([.. left.Select(d => Over(archives[d.Key], StoredSessions.NotTaken))], cancellationToken);
        await frame.Outcomes.ForgetFailuresAsync(deleted.Archived.Select(s => s.Key), cancellationToken);
        frame.Logger.BatchCommitted(frame.Run.Id, deleted.Archived.Count, deleted.RowsDeleted, deleted.Dropped.Count);
    }

    private async Task<VerifiedBatch> ReverifyAsync(
        ExportedBatch batch,
        IReadOnlyDictionary<string, DueArchive> archives,
        CancellationToken cancellationToken
    )
    {
        using var span = Traces.Stage("verify", batch.Trace);
        var began = frame.Meter.Now;
        var verifier = new ObjectVerifier(frame.Store, frame.Run.Source.Map.Session.Key);
        var verified = await VerifiedBatch.ReverifyAsync(
            batch,
            archives,
            verifier,
            frame.Settings.Storage.UploadConcurrency,
            cancellationToken
        );
        FaultPoint.Reach(FaultPoints.Reverified);
        frame.Meter.Record("verify", began, [.. verified.Sessions.Select(s => s.Session)]);
        return verified;
    }

    private async Task SupersedeAsync(IReadOnlyList<StoredArchive> over, CancellationToken cancellationToken)
    {
        await superseded.SupersedeAsync(over, cancellationToken);
        FaultPoint.Reach(FaultPoints.DelayedSuperseded);
    }

    private static void NothingLeft(IReadOnlyList<SelectedSession> sessions) =>
        throw new InvalidOperationException("The sizes of what is stored are known; its batches fit when they are selected.");

    private static StoredArchive Over(DueArchive archive, string reason) => new(archive.Id, archive.Key, archive.Mark, reason);
}

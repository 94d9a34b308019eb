using Archiver.Core.Bucket;
using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Verification;

namespace Archiver.Core.Pipelines;

/// <summary>
/// The last stage of an archive pipeline: deletes the rows of each batch, or marks them where they stay, and writes its manifest.
/// </summary>
internal sealed class DeleteStage(RunFrame frame, TrialRestore? trial, IReplacement? replacement)
{
    private readonly BatchDeleter _deleter = new(frame.Run, frame.Ledger, frame.Retry, trial, replacement);
    private readonly BatchMarker _marker = new(frame.Run, frame.Ledger, frame.Retry, frame.Store.Location, trial);
    private readonly ManifestWriter _manifests = new(frame.Run, frame.Store);

    /// <summary>Finishes one batch; what does not go is noted.</summary>
    public async Task RunAsync(VerifiedBatch batch, CancellationToken cancellationToken)
    {
        using var span = Traces.Stage("delete", batch.Export.Trace);
        var began = frame.Meter.Now;
        var (done, rows, dropped) = await FinishAsync(batch, cancellationToken);
        frame.Limits.Changed(batch.Sessions.Count, frame.Meter.Since(began));
        if (trial is not null)
            await trial.ForgetAsync(batch);
        if (replacement is not null)
            await replacement.ForgetAsync(batch);
        FaultPoint.Reach(FaultPoints.DeleteCommitted);
        frame.Meter.Record("delete", began, [.. done.Select(s => s.Session)]);
        frame.Tally.AddDone(done.Count, rows, done.Sum(s => s.Copy.JsonLength), done.Sum(s => s.Copy.Length));
        await frame.Outcomes.DropAsync(dropped, cancellationToken);
        await frame.Outcomes.ForgetFailuresAsync(done.Select(s => s.Key), cancellationToken);
        await _manifests.WriteAsync([.. done.Select(Confirm)], cancellationToken);
        FaultPoint.Reach(FaultPoints.ManifestWritten);
        frame.Logger.BatchCommitted(frame.Run.Id, done.Count, rows, dropped.Count);
    }

    private async Task<(IReadOnlyList<VerifiedSession> Done, long Rows, IReadOnlyList<DroppedSession> Dropped)> FinishAsync(
        VerifiedBatch batch,
        CancellationToken cancellationToken
    )
    {
        if (frame.Run.Policy.RowsStay)
        {
            var stored = await _marker.StoreAsync(batch, cancellationToken);
            return (stored.Stored, 0, stored.Dropped);
        }
        var deleted = await _deleter.DeleteAsync(batch, cancellationToken);
        return (deleted.Archived, deleted.RowsDeleted, deleted.Dropped);
    }

    private ManifestMember Confirm(VerifiedSession session)
    {
        var copy = session.Copy;
        return new(
            session.Key,
            session.Session.Session.Generation,
            frame.Run.Policy.RowsStay ? "stored" : "archived",
            copy.Object.Key,
            copy.Object.VersionId,
            copy.Offset,
            copy.Length,
            copy.JsonLength,
            Convert.ToHexStringLower(copy.JsonSha256)
        );
    }
}

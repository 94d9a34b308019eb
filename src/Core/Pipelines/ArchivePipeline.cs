using System.Threading.Channels;
using Archiver.Core.Bucket;
using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Archiver.Core.Upload;
using Archiver.Core.Verification;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Pipelines;

/// <summary>
/// The archive pipeline of one run: select, export, upload, verify, delete. The stages overlap: each object is read back while others
/// of its batch are uploaded, and while one batch is deleted the next is uploaded and the one after it exported, bounded by <see cref="BatchSettings.InFlight"/>. The first failure stops all of them.
/// </summary>
internal sealed class ArchivePipeline(RunScope scope, ArchiverSettings settings, IArchiveStore store, DatabaseRetry retry, SessionOutcomes outcomes, RunTally tally, RunLimits limits,
    PhaseMeter meter, TombstoneSet erased, TimeProvider time, ILogger logger, IReplacement? replacement = null) : IDisposable
{
    private readonly RunContext _run = scope.Context;
    private readonly PhaseMeter _meter = meter;
    private readonly Channel<ExportedBatch> _exported = Channel.CreateUnbounded<ExportedBatch>();
    private readonly Channel<UploadedBatch> _uploaded = Channel.CreateUnbounded<UploadedBatch>();
    private readonly Channel<VerifiedBatch> _verified = Channel.CreateUnbounded<VerifiedBatch>();
    private readonly SemaphoreSlim _slots = new(settings.Batch.InFlight);
    private readonly ArchiveLedger _ledger = new(scope.Context, store.Location);
    private readonly TrialRestore? _trial = settings.Storage.Verify == VerifyMode.TrialRestore ? new(scope.Context, store, settings.Storage.UploadConcurrency) : null;
    private readonly ExportServer _server = new(scope.Context, settings.Retry.Budget, time);

    /// <summary>Archives up to <paramref name="limit"/> sessions.</summary>
    public async Task RunAsync(long limit, Action? moved, CancellationToken cancellationToken)
    {
        using var stages = new PipelineStages(cancellationToken, scope.Lost);
        await Task.WhenAll(
            stages.RunAsync(token => ExportAsync(limit, token), _exported.Writer),
            stages.RunAsync(token => UploadAsync(moved, token), _uploaded.Writer),
            stages.RunAsync(token => VerifyAsync(moved, token), _verified.Writer),
            stages.RunAsync(token => DeleteAsync(moved, token), null as ChannelWriter<VerifiedBatch>));
        await DisposeLeftoversAsync();
        if (_trial is not null)
            await _trial.DisposeAsync();
        stages.ThrowIfFailed();
        cancellationToken.ThrowIfCancellationRequested();
        if (scope.Lost.IsCancellationRequested)
            throw new ArchiverException(FailureKind.Failed, $"The run's lock on source '{_run.Source.Name}' was lost: its connection to the server broke. Batches in hand were dropped; nothing of them was deleted.");
    }

    public void Dispose() => _slots.Dispose();

    private Task ExportAsync(long limit, CancellationToken cancellationToken)
    {
        var exports = new BatchExports(new BatchExporter(_run, settings.Storage.CompressionLevel, _server), _server, retry, outcomes, limits, _meter, erased, _run.Cutoffs.Now, logger);
        return new ExportStage(_run, exports, retry, limits, tally).RunAsync(limit, HandOverAsync, cancellationToken);
    }

    /// <summary>
    /// Passes an exported batch on as soon as there is room. The room is asked for after the export: while as many batches as are allowed
    /// are uploaded and deleted, the next one is read, and no core waits for a stage that another batch is in.
    /// </summary>
    private async Task HandOverAsync(ExportedBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            await _slots.WaitAsync(cancellationToken);
            await _exported.Writer.WriteAsync(batch, cancellationToken);
        }
        catch
        {
            await batch.DisposeAsync();
            throw;
        }
    }

    private async Task UploadAsync(Action? moved, CancellationToken cancellationToken)
    {
        IObjectLayout layout = settings.Storage.Layout == StorageLayout.Bundle
            ? new BundleLayout(_run, settings.Storage.BundleBytes)
            : new SessionLayout(_run, _ledger);
        var uploader = new BatchUploader(_run, store, layout, _ledger, retry, settings.Storage.UploadConcurrency, sessions =>
        {
            tally.AddStored(sessions);
            moved?.Invoke();
        });
        await foreach (var batch in _exported.Reader.ReadAllAsync(cancellationToken))
        {
            using var span = Traces.Stage("upload", batch.Trace);
            var began = time.GetTimestamp();
            // Handed on before its first object is stored: objects are read back while others of their batch are uploaded.
            var uploaded = UploadedBatch.Of(batch);
            await _uploaded.Writer.WriteAsync(uploaded, cancellationToken);
            await uploader.UploadAsync(uploaded, cancellationToken);
            _meter.Record("upload", began, batch.Sessions);
        }
    }

    private async Task VerifyAsync(Action? moved, CancellationToken cancellationToken)
    {
        var verifier = new ObjectVerifier(store, _run.Source.Map.Session.Key, sessions =>
        {
            tally.AddVerified(sessions);
            moved?.Invoke();
        });
        await foreach (var batch in _uploaded.Reader.ReadAllAsync(cancellationToken))
        {
            using var span = Traces.Stage("verify", batch.Export.Trace);
            var began = time.GetTimestamp();
            var verified = await VerifiedBatch.VerifyAsync(batch, verifier, settings.Storage.UploadConcurrency, cancellationToken);
            FaultPoint.Reach(FaultPoints.Verified);
            _meter.Record("verify", began, [.. verified.Sessions.Select(s => s.Session)]);
            await outcomes.DropAsync([.. verified.Rejected.Select(r => new DroppedSession(r.Key, r.Reason, Failed: true))], cancellationToken);
            if (_trial is not null)
                await retry.ExecuteAsync(token => _trial.StageAsync(verified, token), cancellationToken);
            if (replacement is not null)
                await retry.ExecuteAsync(token => replacement.StageAsync(verified, token), cancellationToken);
            await _verified.Writer.WriteAsync(verified, cancellationToken);
        }
    }

    private async Task DeleteAsync(Action? moved, CancellationToken cancellationToken)
    {
        var deleter = new BatchDeleter(_run, _ledger, retry, _trial, replacement);
        var marker = new BatchMarker(_run, _ledger, retry, store.Location, _trial);
        var manifests = new ManifestWriter(_run, store);
        await foreach (var batch in _verified.Reader.ReadAllAsync(cancellationToken))
        {
            await using (batch.Export)
            {
                using var span = Traces.Stage("delete", batch.Export.Trace);
                var began = time.GetTimestamp();
                var (done, rows, dropped) = await FinishAsync(batch);
                limits.Changed(batch.Sessions.Count, time.GetElapsedTime(began));
                if (_trial is not null)
                    await _trial.ForgetAsync(batch);
                if (replacement is not null)
                    await replacement.ForgetAsync(batch);
                FaultPoint.Reach(FaultPoints.DeleteCommitted);
                _meter.Record("delete", began, [.. done.Select(s => s.Session)]);
                tally.AddDone(done.Count, rows, done.Sum(s => s.Copy.JsonLength), done.Sum(s => s.Copy.Length));
                await outcomes.DropAsync(dropped, cancellationToken);
                await outcomes.ForgetFailuresAsync(done.Select(s => s.Key), cancellationToken);
                await manifests.WriteAsync([.. done.Select(Confirm)], cancellationToken);
                FaultPoint.Reach(FaultPoints.ManifestWritten);
                logger.BatchCommitted(_run.Id, done.Count, rows, dropped.Count);
            }
            _slots.Release();
            moved?.Invoke();
            await limits.PauseAsync(cancellationToken);
        }

        async Task<(IReadOnlyList<VerifiedSession> Done, long Rows, IReadOnlyList<DroppedSession> Dropped)> FinishAsync(VerifiedBatch batch)
        {
            if (_run.Policy.RowsStay)
            {
                var stored = await marker.StoreAsync(batch, cancellationToken);
                return (stored.Stored, 0, stored.Dropped);
            }
            var deleted = await deleter.DeleteAsync(batch, cancellationToken);
            return (deleted.Archived, deleted.RowsDeleted, deleted.Dropped);
        }
    }

    private ManifestMember Confirm(VerifiedSession session) => new(
        session.Key, session.Session.Session.Generation, _run.Policy.RowsStay ? "stored" : "archived", session.Copy.Object.Key, session.Copy.Object.VersionId, session.Copy.Offset, session.Copy.Length,
        session.Copy.JsonLength, Convert.ToHexStringLower(session.Copy.JsonSha256));

    private async Task DisposeLeftoversAsync()
    {
        while (_exported.Reader.TryRead(out var exported))
            await exported.DisposeAsync();
        while (_uploaded.Reader.TryRead(out var uploaded))
            await uploaded.Export.DisposeAsync();
        while (_verified.Reader.TryRead(out var verified))
            await verified.Export.DisposeAsync();
    }
}

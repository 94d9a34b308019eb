using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Archiver.Core.Configuration;
using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Manifests;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Storage;
using Archiver.Core.Upload;
using Archiver.Core.Verification;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core;

/// <summary>
/// The archive pipeline of one run: select, export, upload, verify, delete. The stages overlap: while one batch is deleted the next is
/// uploaded and the one after it exported, bounded by <see cref="BatchSettings.InFlight"/>. The first failure stops all three.
/// </summary>
internal sealed class ArchivePipeline(RunScope scope, ArchiverSettings settings, IArchiveStore store, DatabaseRetry retry, SessionOutcomes outcomes, RunTally tally, RunLimits limits,
    TimeProvider time, ILogger logger) : IDisposable
{
    private readonly RunContext _run = scope.Context;
    private readonly Channel<ExportedBatch> _exported = Channel.CreateUnbounded<ExportedBatch>();
    private readonly Channel<VerifiedBatch> _verified = Channel.CreateUnbounded<VerifiedBatch>();
    private readonly SemaphoreSlim _slots = new(settings.Batch.InFlight);
    private readonly ArchiveLedger _ledger = new(scope.Context, store.Location);
    private readonly TrialRestore? _trial = settings.Storage.Verify == VerifyMode.TrialRestore ? new(scope.Context, store, settings.Storage.UploadConcurrency) : null;
    private readonly ExportServer _server = new(scope.Context, settings.Retry.Budget, time);
    private ExceptionDispatchInfo? _failure;

    /// <summary>Archives up to <paramref name="limit"/> sessions.</summary>
    public async Task RunAsync(long limit, IProgress<long>? finished, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, scope.Lost);
        await Task.WhenAll(
            StageAsync(token => ExportAsync(limit, token), _exported.Writer, stop),
            StageAsync(StoreAsync, _verified.Writer, stop),
            StageAsync(token => DeleteAsync(finished, token), null as ChannelWriter<VerifiedBatch>, stop)).ConfigureAwait(false);
        await DisposeLeftoversAsync().ConfigureAwait(false);
        if (_trial is not null)
            await _trial.DisposeAsync().ConfigureAwait(false);
        _failure?.Throw();
        cancellationToken.ThrowIfCancellationRequested();
        if (scope.Lost.IsCancellationRequested)
            throw new ArchiverException(FailureKind.Failed, $"The run's lock on source '{_run.Source.Name}' was lost: its connection to the server broke. Batches in hand were dropped; nothing of them was deleted.");
    }

    public void Dispose() => _slots.Dispose();

    private async Task ExportAsync(long limit, CancellationToken cancellationToken)
    {
        var selector = new BatchSelector(_run);
        var exporter = new BatchExporter(_run, settings.Storage.CompressionLevel, _server);
        while (await retry.ExecuteAsync(token => selector.NextAsync(Math.Min(limit, limits.Pace.Sessions), token), cancellationToken).ConfigureAwait(false) is { } selected)
        {
            if (await retry.ExecuteAsync(limits.ReachedAsync, cancellationToken).ConfigureAwait(false) is { } reason)
            {
                logger.RunCutShort(_run.Id, reason);
                return;
            }
            limit -= selected.Sessions.Count;
            tally.AddSelected(selected.Sessions.Count);
            FaultPoint.Reach(FaultPoints.Selected);
            var parts = new Stack<SelectedBatch>([selected]);
            while (parts.TryPop(out var part))
            {
                if (await TryExportAsync(exporter, part, parts, cancellationToken).ConfigureAwait(false) is { } batch)
                    await HandOverAsync(batch, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Passes an exported batch on as soon as there is room. The room is asked for after the export: while as many batches as are allowed
    /// are uploaded and deleted, the next one is read, and no core waits for a stage that another batch is in.
    /// </summary>
    private async Task HandOverAsync(ExportedBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
            await _exported.Writer.WriteAsync(batch, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await batch.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Null when nothing of the batch is left; a batch that the server chokes on comes back as two halves in <paramref name="parts"/>.</summary>
    private async Task<ExportedBatch?> TryExportAsync(BatchExporter exporter, SelectedBatch batch, Stack<SelectedBatch> parts, CancellationToken cancellationToken)
    {
        try
        {
            var began = time.GetTimestamp();
            var exported = await _server.NamedAsync(() => retry.ExecuteAsync(token => exporter.ExportAsync(batch, token), cancellationToken)).ConfigureAwait(false);
            FaultPoint.Reach(FaultPoints.Exported);
            Measure("export", began, exported.Sessions);
            await DropAsync(exported.Dropped, cancellationToken).ConfigureAwait(false);
            if (exported.Sessions.Count > 0)
                return exported;
            await exported.DisposeAsync().ConfigureAwait(false);
            return null;
        }
        catch (PostgresException exception) when (exception.IsAboutOneBatch() && !cancellationToken.IsCancellationRequested)
        {
            if (batch.Sessions.Count == 1)
            {
                await DropAsync([new(batch.Sessions[0].Key, $"{DropReason.Unreadable} ({exception.SqlState})", Failed: true)], cancellationToken).ConfigureAwait(false);
                return null;
            }
            logger.BatchHalved(batch.Sessions.Count, exception.SqlState);
            limits.Pace.SlowDown(batch.Sessions.Count);
            var (first, second) = batch.Halve();
            parts.Push(second);
            parts.Push(first);
            return null;
        }
    }

    private async Task StoreAsync(CancellationToken cancellationToken)
    {
        IObjectLayout layout = settings.Storage.Layout == StorageLayout.Bundle
            ? new BundleLayout(_run, settings.Storage.BundleBytes)
            : new SessionLayout(_run, _ledger);
        var uploader = new BatchUploader(_run, store, layout, _ledger, retry, settings.Storage.UploadConcurrency);
        var verifier = new ObjectVerifier(store, _run.Source.Map.Session.Key);
        await foreach (var batch in _exported.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            var began = time.GetTimestamp();
            var uploaded = await uploader.UploadAsync(batch, cancellationToken).ConfigureAwait(false);
            FaultPoint.Reach(FaultPoints.Uploaded);
            Measure("upload", began, batch.Sessions);
            began = time.GetTimestamp();
            var verified = await VerifiedBatch.VerifyAsync(uploaded, verifier, settings.Storage.UploadConcurrency, cancellationToken).ConfigureAwait(false);
            FaultPoint.Reach(FaultPoints.Verified);
            Measure("verify", began, [.. verified.Sessions.Select(s => s.Session)]);
            await DropAsync([.. verified.Rejected.Select(r => new DroppedSession(r.Member.Session.Key, r.Reason, Failed: true))], cancellationToken).ConfigureAwait(false);
            if (_trial is not null)
                await retry.ExecuteAsync(token => _trial.StageAsync(verified, token), cancellationToken).ConfigureAwait(false);
            await _verified.Writer.WriteAsync(verified, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task DeleteAsync(IProgress<long>? finished, CancellationToken cancellationToken)
    {
        var deleter = new BatchDeleter(_run, _ledger, retry, _trial);
        var marker = new BatchMarker(_run, _ledger, retry, store.Location, _trial);
        var manifests = new ManifestWriter(_run, store);
        await foreach (var batch in _verified.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            await using (batch.Export.ConfigureAwait(false))
            {
                var began = time.GetTimestamp();
                var (done, rows, dropped) = await FinishAsync(batch).ConfigureAwait(false);
                limits.Pace.Report(batch.Sessions.Count, time.GetElapsedTime(began));
                if (_trial is not null)
                    await _trial.ForgetAsync(batch).ConfigureAwait(false);
                FaultPoint.Reach(FaultPoints.DeleteCommitted);
                Measure("delete", began, [.. done.Select(s => s.Session)]);
                tally.AddDone(done.Count, rows, done.Sum(s => s.Session.Document.JsonLength), done.Sum(s => s.Member.Length));
                await DropAsync(dropped, cancellationToken).ConfigureAwait(false);
                await outcomes.ForgetFailuresAsync(done.Select(s => s.Key), cancellationToken).ConfigureAwait(false);
                await manifests.WriteAsync([.. done.Select(Confirm)], cancellationToken).ConfigureAwait(false);
                FaultPoint.Reach(FaultPoints.ManifestWritten);
                logger.BatchCommitted(_run.Id, done.Count, rows, dropped.Count);
            }
            _slots.Release();
            finished?.Report(tally.Finished);
            if (settings.Batch.Pause > TimeSpan.Zero)
                await Task.Delay(settings.Batch.Pause, cancellationToken).ConfigureAwait(false);
        }

        async Task<(IReadOnlyList<VerifiedSession> Done, long Rows, IReadOnlyList<DroppedSession> Dropped)> FinishAsync(VerifiedBatch batch)
        {
            if (_run.Policy.Delete == DeleteMode.Nothing)
            {
                var stored = await marker.StoreAsync(batch, cancellationToken).ConfigureAwait(false);
                return (stored.Stored, 0, stored.Dropped);
            }
            var deleted = await deleter.DeleteAsync(batch, cancellationToken).ConfigureAwait(false);
            return (deleted.Archived, deleted.RowsDeleted, deleted.Dropped);
        }
    }

    private void Measure(string phase, long began, IReadOnlyList<ExportedSession> sessions) => BatchMeter.Record(
        _run.Source.Name, _run.Policy.Name, phase, time.GetElapsedTime(began), sessions.Count, sessions.Sum(s => s.Rows), sessions.Sum(s => s.Document.Content.Length));

    private ManifestMember Confirm(VerifiedSession session) => new(
        session.Key, session.Session.Session.Generation, _run.Policy.Delete == DeleteMode.Nothing ? "stored" : "archived", session.Object.Key, session.Object.VersionId, session.Member.Offset, session.Member.Length,
        session.Session.Document.JsonLength, Convert.ToHexStringLower(session.Session.Document.JsonSha256));

    private Task DropAsync(IReadOnlyCollection<DroppedSession> dropped, CancellationToken cancellationToken) => outcomes.DropAsync(dropped, cancellationToken);

    /// <summary>Runs a stage, ends its channel with it, and stops the others when it fails; the first failure is the run's.</summary>
    private async Task StageAsync<T>(Func<CancellationToken, Task> stage, ChannelWriter<T>? output, CancellationTokenSource stop)
    {
        try
        {
            await stage(stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Another stage failed, the lock was lost or the caller gave up: RunAsync says which.
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
            await stop.CancelAsync().ConfigureAwait(false);
        }
        finally
        {
            output?.TryComplete();
        }
    }

    private async Task DisposeLeftoversAsync()
    {
        while (_exported.Reader.TryRead(out var exported))
            await exported.DisposeAsync().ConfigureAwait(false);
        while (_verified.Reader.TryRead(out var verified))
            await verified.Export.DisposeAsync().ConfigureAwait(false);
    }
}

using System.Threading.Channels;
using Archiver.Core.Deletion;
using Archiver.Core.Export;
using Archiver.Core.Settings;
using Archiver.Core.Upload;
using Archiver.Core.Verification;

namespace Archiver.Core.Pipelines;

/// <summary>
/// The archive pipeline of one run: select, export, upload, verify, delete. The stages overlap. Each object is read back while others of
/// its batch are uploaded. While one batch is deleted, the next is uploaded and the one after it exported;
/// <see cref="BatchSettings.InFlight"/> bounds how many. The first failure stops all of them.
/// </summary>
internal sealed class ArchivePipeline(RunFrame frame, IReplacement? replacement = null) : IDisposable
{
    private readonly Channel<ExportedBatch> _exported = Channel.CreateUnbounded<ExportedBatch>();
    private readonly Channel<UploadedBatch> _uploaded = Channel.CreateUnbounded<UploadedBatch>();
    private readonly Channel<VerifiedBatch> _verified = Channel.CreateUnbounded<VerifiedBatch>();
    private readonly SemaphoreSlim _slots = new(frame.Settings.Batch.InFlight);
    private readonly TrialRestore? _trial =
        frame.Settings.Storage.Verify == VerifyMode.TrialRestore
            ? new(frame.Run, frame.Store, frame.Settings.Storage.UploadConcurrency)
            : null;

    /// <summary>Archives up to <paramref name="limit"/> sessions.</summary>
    public async Task RunAsync(long limit, Action? moved, CancellationToken cancellationToken)
    {
        using var stages = new PipelineStages(cancellationToken, frame.Lost);
        await Task.WhenAll(
            stages.RunAsync(token => ExportAsync(limit, token), _exported.Writer),
            stages.RunAsync(token => new UploadStage(frame, moved).RunAsync(_exported.Reader, _uploaded.Writer, token), _uploaded.Writer),
            stages.RunAsync(
                token => new VerifyStage(frame, _trial, replacement, moved).RunAsync(_uploaded.Reader, _verified.Writer, token),
                _verified.Writer
            ),
            stages.RunAsync(token => DeleteAsync(moved, token), null as ChannelWriter<VerifiedBatch>)
        );
        await DisposeLeftoversAsync();
        if (_trial is not null)
            await _trial.DisposeAsync();
        stages.ThrowIfFailed();
        cancellationToken.ThrowIfCancellationRequested();
        if (frame.Lost.IsCancellationRequested)
            throw frame.LockLost();
    }

    public void Dispose() => _slots.Dispose();

    private Task ExportAsync(long limit, CancellationToken cancellationToken)
    {
        var server = new ExportServer(frame.Run, frame.Settings.Retry.Budget, frame.Time);
        var exporter = new BatchExporter(frame.Run, frame.Settings.Storage.CompressionLevel, server, erased: frame.Erased);
        var exports = new BatchExports(frame, exporter, server);
        return new ExportStage(frame, exports).RunAsync(limit, HandOverAsync, cancellationToken);
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

    private async Task DeleteAsync(Action? moved, CancellationToken cancellationToken)
    {
        var stage = new DeleteStage(frame, _trial, replacement);
        await foreach (var batch in _verified.Reader.ReadAllAsync(cancellationToken))
        {
            await using (batch.Export)
                await stage.RunAsync(batch, cancellationToken);
            _slots.Release();
            moved?.Invoke();
            await frame.Limits.PauseAsync(cancellationToken);
        }
    }

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

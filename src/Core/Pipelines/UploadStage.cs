using System.Threading.Channels;
using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Settings;
using Archiver.Core.Upload;

namespace Archiver.Core.Pipelines;

/// <summary>The second stage of an archive pipeline: stores the objects of each batch.</summary>
internal sealed class UploadStage(RunFrame frame, Action? moved)
{
    /// <summary>
    /// A batch is handed on before its first object is stored: objects are read back while others of their batch are uploaded.
    /// </summary>
    public async Task RunAsync(
        ChannelReader<ExportedBatch> exported,
        ChannelWriter<UploadedBatch> output,
        CancellationToken cancellationToken
    )
    {
        var (run, storage) = (frame.Run, frame.Settings.Storage);
        IObjectLayout layout =
            storage.Layout == StorageLayout.Bundle ? new BundleLayout(run, storage.BundleBytes) : new SessionLayout(run, frame.Ledger);
        var names = new PendingNames(layout, frame.Ledger, frame.Retry);
        var uploader = new BatchUploader(run, frame.Store, layout, names, storage.UploadConcurrency, settled =>
        {
            if (settled.Refusal is { } refusal)
                frame.Logger.ObjectRefused(settled.Key, refusal.Message);
            else
                frame.Tally.AddStored(settled.Planned.Members.Count);
            moved?.Invoke();
        });
        await foreach (var batch in exported.ReadAllAsync(cancellationToken))
        {
            using var span = Traces.Stage("upload", batch.Trace);
            var began = frame.Meter.Now;
            var uploaded = UploadedBatch.Of(batch);
            await output.WriteAsync(uploaded, cancellationToken);
            await uploader.UploadAsync(uploaded, cancellationToken);
            frame.Meter.Record("upload", began, batch.Sessions);
        }
    }
}

using System.Threading.Channels;
using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Upload;
using Archiver.Core.Verification;

namespace Archiver.Core.Pipelines;

/// <summary>
/// The third stage of an archive pipeline: reads the stored objects of each batch back, and what is to be compared with live rows later.
/// </summary>
internal sealed class VerifyStage(RunFrame frame, TrialRestore? trial, IReplacement? replacement, Action? moved)
{
    public async Task RunAsync(
        ChannelReader<UploadedBatch> uploaded,
        ChannelWriter<VerifiedBatch> output,
        CancellationToken cancellationToken
    )
    {
        var verifier = new ObjectVerifier(frame.Store, frame.Run.Source.Map.Session.Key, sessions =>
        {
            frame.Tally.AddVerified(sessions);
            moved?.Invoke();
        });
        await foreach (var batch in uploaded.ReadAllAsync(cancellationToken))
        {
            using var span = Traces.Stage("verify", batch.Export.Trace);
            var began = frame.Meter.Now;
            var verified = await VerifiedBatch.VerifyAsync(batch, verifier, frame.Settings.Storage.UploadConcurrency, cancellationToken);
            FaultPoint.Reach(FaultPoints.Verified);
            frame.Meter.Record("verify", began, [.. verified.Sessions.Select(s => s.Session)]);
            await frame.Outcomes.DropAsync(
                [.. verified.Rejected.Select(r => new DroppedSession(r.Key, r.Reason, Failed: true))],
                cancellationToken
            );
            if (trial is not null)
                await frame.Retry.ExecuteAsync(token => trial.StageAsync(verified, token), cancellationToken);
            if (replacement is not null)
                await frame.Retry.ExecuteAsync(token => replacement.StageAsync(verified, token), cancellationToken);
            await output.WriteAsync(verified, cancellationToken);
        }
    }
}

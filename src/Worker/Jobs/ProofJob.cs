using Archiver.Core.Ledger;
using Archiver.Core.Proofs;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>Does one proof of one source. Its key is (name of the proof, source).</summary>
[DisallowConcurrentExecution]
internal sealed class ProofJob(SourceRuns runs) : IJob
{
    public static JobKey Key(string source, Proof proof) => new(proof.Name(), source);

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
        // The outcome is in the log and the ledger; the next firing is the retry.
        await runs.ProveWhenReadyAsync(
            context.JobDetail.Key.Group,
            ProofNames.Parse(context.JobDetail.Key.Name),
            RunJournal.WorkerName,
            cancellationToken
        );
}

using Archiver.Core.Ledger;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>Discards the due archives of one source. Its key is (discard, source).</summary>
[DisallowConcurrentExecution]
internal sealed class DiscardJob(SourceRuns runs) : IJob
{
    public static JobKey Key(string source) => new("discard", source);

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default) =>
        // The outcome is in the log and the ledger; the next firing is the retry.
        await runs.DiscardWhenReadyAsync(context.JobDetail.Key.Group, RunJournal.WorkerName, cancellationToken);
}

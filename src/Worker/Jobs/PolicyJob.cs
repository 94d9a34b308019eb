using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>
/// The policies of one source that share a cron expression, as one job: Quartz would start two jobs at once, and then their order would be
/// chance and the second would find the source locked. Its key is (cron, source).
/// </summary>
[DisallowConcurrentExecution]
internal sealed class PolicyJob(SourceRuns runs) : IJob
{
    /// <summary>Between names: the one character that no name has.</summary>
    private const char Separator = '/';

    /// <summary>Names of the policies, filled by Quartz from the job's data, or from that of a single firing.</summary>
    public string Policies { get; set; } = "";

    public static JobKey Key(string source, string cron) => new(cron, source);

    public static JobDataMap Data(IEnumerable<string> policies) => new() { [nameof(Policies)] = string.Join(Separator, policies) };

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        // Outcomes are in the log and the ledger; the next firing is the retry.
        await runs.RunWhenReadyAsync(context.JobDetail.Key.Group, Policies.Split(Separator), cancellationToken).ConfigureAwait(false);
        // Until the next night nothing allocates, so nothing would ever collect what the run left: a worker at rest would hold it all day.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}

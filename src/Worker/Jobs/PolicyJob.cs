using Archiver.Core.Settings;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>
/// The policies of one source that share a cron expression, as one job: Quartz would start two jobs at once, and then their order would be
/// chance and the second would find the source locked. Its key is (cron, source). In a cluster
/// each shard is a job, so that workers share them; otherwise a worker goes through the shards by itself.
/// </summary>
[DisallowConcurrentExecution]
internal sealed class PolicyJob(SourceRuns runs) : IJob
{
    /// <summary>Between names: the one character that no name has.</summary>
    private const char Separator = '/';

    /// <summary>Names of the policies, filled by Quartz from the job's data, or from that of a single firing.</summary>
    public string Policies { get; set; } = "";

    /// <summary>As <c>2/3</c>; empty for all shards.</summary>
    public string Shard { get; set; } = "";

    public static JobKey Key(string source, string cron, Shard? shard) =>
        new(shard is { IsWhole: false } part ? $"{cron} shard {part}" : cron, source);

    /// <summary>A job for each; outside a cluster one job goes through all shards.</summary>
    public static IEnumerable<Shard?> Shards(ScheduleSettings schedule) =>
        schedule is { Clustered: true, Shards: > 1 and var count } ? Core.Settings.Shard.All(count).Select(s => (Shard?)s) : [null];

    public static JobDataMap Data(IEnumerable<string> policies, Shard? shard) =>
        new() { [nameof(Policies)] = string.Join(Separator, policies), [nameof(Shard)] = shard?.ToString() ?? "" };

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        // Outcomes are in the log and the ledger; the next firing is the retry.
        await runs.RunWhenReadyAsync(
            context.JobDetail.Key.Group,
            Policies.Split(Separator),
            Shard.Length == 0 ? null : Core.Settings.Shard.Parse(Shard),
            context.Recovering,
            cancellationToken
        );
    }
}

using Archiver.Core.Settings;
using Archiver.Worker.Configuration;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>
/// Schedules a source's policies, those with a common cron expression as one job, and runs at once what was missed while no worker was
/// there or what the environment triggers.
/// </summary>
internal sealed class PolicySchedule(ArchiverSettings settings, MissedRuns missed, Trigger trigger, ILogger<PolicySchedule> logger)
{
    /// <summary>Schedules the source's policies.</summary>
    /// <returns>The jobs that there are.</returns>
    public async Task<IReadOnlyList<JobKey>> ScheduleAsync(IScheduler scheduler, SourceSettings source, CancellationToken cancellationToken)
    {
        List<JobKey> keys = [];
        // Before the schedule starts: a firing in between would hide that an earlier one was missed.
        var now = await missed.FindAsync(source, cancellationToken);
        var triggered = trigger.Policies(source).Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var group in source.Policies.GroupBy(p => p.Cron, StringComparer.Ordinal))
        {
            foreach (var shard in PolicyJob.Shards(settings.Schedule))
                keys.Add(
                    await ScheduleAsync(
                        scheduler,
                        source.Name,
                        group.Key,
                        [.. group.Select(p => p.Name)],
                        shard,
                        now,
                        triggered,
                        cancellationToken
                    )
                );
        }
        return keys;
    }

    private async Task<JobKey> ScheduleAsync(
        IScheduler scheduler,
        string source,
        string cron,
        IReadOnlyList<string> names,
        Shard? shard,
        IReadOnlySet<string> missedNow,
        HashSet<string> triggered,
        CancellationToken cancellationToken
    )
    {
        var key = PolicyJob.Key(source, cron, shard);
        var job = JobBuilder
            .Create<PolicyJob>()
            .WithIdentity(key)
            .StoreDurably()
            .RequestRecovery(settings.Schedule.Clustered)
            .UsingJobData(PolicyJob.Data(names, shard))
            .Build();
        var (isNew, next) = await StoredJobs.EnsureAsync(
            scheduler,
            job,
            StoredJobs.TriggerOf(key, cron, settings.Schedule.TimeZone),
            cancellationToken
        );
        var all = string.Join(", ", names);
        logger.ScheduledNext(all, source, cron, next);
        // A trigger that was in the store remembers by itself what it missed.
        var atOnce = names.Where(n => (isNew && missedNow.Contains(n)) || triggered.Contains(n)).ToList();
        if (atOnce.Count > 0)
        {
            var some = string.Join(", ", atOnce);
            logger.RunningNow(
                some,
                source,
                atOnce.Exists(triggered.Contains) ? Trigger.Variable : "a run was missed while no worker was there"
            );
            await scheduler.TriggerJob(key, PolicyJob.Data(atOnce, shard), cancellationToken);
        }
        return key;
    }
}

using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>
/// Brings jobs and triggers of a configuration into a scheduler whose store may have them, or others, from an earlier start.
/// </summary>
internal static class StoredJobs
{
    /// <summary>A job's trigger, of the job's own name. What was missed while no worker was there is made good once.</summary>
    public static ITrigger TriggerOf(JobKey job, string cron, TimeZoneInfo zone) =>
        TriggerBuilder
            .Create()
            .WithIdentity(job.Name, job.Group)
            .ForJob(job)
            .WithSchedule(
                CronScheduleBuilder.Create(cron).InTimeZone(zone).WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed)
            )
            .Build();

    /// <summary>
    /// Adds a job with its trigger, or brings the job up to date. A trigger that is there already stays: a new one would begin now, and a
    /// firing that was missed while no worker was there would be forgotten without a word.
    /// </summary>
    /// <returns>Whether the trigger is new, and when it fires next; null where its times are over, and there is a job without it.</returns>
    public static async Task<(bool IsNew, DateTimeOffset? Next)> EnsureAsync(
        IScheduler scheduler,
        IJobDetail job,
        ITrigger trigger,
        CancellationToken cancellationToken
    )
    {
        if (await scheduler.GetTrigger(trigger.Key, cancellationToken) is ICronTrigger stored && IsSame(stored, (ICronTrigger)trigger))
        {
            await scheduler.AddJob(job, AddJobOptions.Replacing, cancellationToken);
            return (false, stored.NextFireTimeUtc);
        }
        // Quartz refuses a trigger that never fires, and one refusal would keep all that is scheduled after it from its schedule.
        if (trigger.GetFireTimeAfter(trigger.StartTimeUtc.AddSeconds(-1)) is null)
        {
            await scheduler.AddJob(job, AddJobOptions.Replacing, cancellationToken);
            await scheduler.UnscheduleJob(trigger.Key, cancellationToken);
            return (true, null);
        }
        return (true, await scheduler.ScheduleJob(job, trigger, ScheduleJobOptions.Replacing, cancellationToken));
    }

    /// <summary>Removes every job that is not configured any more: the store would go on firing it.</summary>
    public static async Task RemoveOthersAsync(IScheduler scheduler, IReadOnlySet<JobKey> configured, CancellationToken cancellationToken)
    {
        var stored = await scheduler.QueryJobs(new JobQuery { Take = PagedQuery.All }, cancellationToken);
        var others = stored.Items.Select(j => j.Key).Where(k => !configured.Contains(k)).ToList();
        if (others.Count > 0)
            await scheduler.DeleteJobs(others, cancellationToken);
    }

    private static bool IsSame(ICronTrigger stored, ICronTrigger wanted) =>
        stored.CronExpressionString == wanted.CronExpressionString
        && stored.TimeZone.Id == wanted.TimeZone.Id
        && stored.JobKey.Equals(wanted.JobKey);
}

using Archiver.Core.Settings;
using Archiver.Worker.Configuration;
using Archiver.Worker.Output;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>
/// Keeps the schedule: source by source as they become ready, policies with a common cron expression as one job, then what was missed while
/// no worker was there, or what the environment triggers. Quartz's own hosted service would start before anybody knows what was missed.
/// </summary>
internal sealed class SchedulerService(
    ArchiverSettings settings,
    ISchedulerFactory schedulers,
    ClusteredSchedule cluster,
    ServerWait servers,
    Readiness readiness,
    MissedRuns missed,
    DiscardSchedule discards,
    ProofSchedule proofs,
    Trigger trigger,
    TimeProvider time,
    WorkerOutcome outcome,
    IHostApplicationLifetime lifetime,
    ILogger<SchedulerService> logger
) : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    private IScheduler? _scheduler;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        // Running jobs are cancelled (ShutdownJobInterruption) and waited for: they finish or roll back the batch in hand.
        if (_scheduler is not null)
            await _scheduler.Shutdown(waitForJobsToComplete: true, cancellationToken);
        await cluster.StopAsync(cancellationToken);
        logger.WorkerStopped();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            if (settings.Schedule.Clustered)
            {
                await Task.WhenAll(
                    settings.Sources.Select(s =>
                        cluster.StartAsync(s, scheduler => ScheduleAsync(scheduler, s, stoppingToken), stoppingToken)
                    )
                );
                return;
            }
            _scheduler = await schedulers.GetScheduler(stoppingToken);
            await _scheduler.Start(stoppingToken);
            await Task.WhenAll(settings.Sources.Select(s => UntilScheduledAsync(_scheduler, s, stoppingToken)));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped while it still waited for a server.
        }
        catch (Exception exception)
        {
            // Thrown on, it would stop the host and still end the process with 0.
            logger.SchedulerFailed(exception);
            outcome.ExitCode = ExitCode.Failed;
            lifetime.StopApplication();
        }
    }

    /// <summary>
    /// A server that goes away between its first answer and the last look at its ledger is waited for like one that was never there:
    /// whatever happens to one source ends neither the worker nor the others.
    /// </summary>
    private async Task UntilScheduledAsync(IScheduler scheduler, SourceSettings source, CancellationToken cancellationToken)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await ScheduleAsync(scheduler, source, cancellationToken);
                readiness.Set(source.Name, ready: true);
                return;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                readiness.Set(source.Name, ready: false);
                logger.NotScheduled(exception, source.Name);
            }
            await Task.Delay(pause, time, cancellationToken);
        }
    }

    private async Task ScheduleAsync(IScheduler scheduler, SourceSettings source, CancellationToken cancellationToken)
    {
        await servers.UntilReadyAsync(source, cancellationToken);
        await discards.ScheduleAsync(scheduler, source, cancellationToken);
        // Before the schedule starts: a firing in between would hide that an earlier one was missed.
        var now = await missed.FindAsync(source, cancellationToken);
        var triggered = trigger.Policies(source).Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        HashSet<JobKey> configured = [DiscardJob.Key(source.Name), .. await proofs.ScheduleAsync(scheduler, source, cancellationToken)];
        foreach (var group in source.Policies.GroupBy(p => p.Cron, StringComparer.Ordinal))
        {
            foreach (var shard in PolicyJob.Shards(settings.Schedule))
                configured.Add(
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
        if (settings.Discard.After is null)
            configured.Remove(DiscardJob.Key(source.Name));
        if (settings.Schedule.Clustered)
            await StoredJobs.RemoveOthersAsync(scheduler, configured, cancellationToken);
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
        var (isNew, next) = await StoredJobs.EnsureAsync(scheduler, job, TriggerOf(key, cron), cancellationToken);
        var all = string.Join(", ", names);
        logger.Scheduled(all, source, cron, next);
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

    private ITrigger TriggerOf(JobKey job, string cron) =>
        TriggerBuilder
            .Create()
            .WithIdentity(job.Name, job.Group)
            .ForJob(job)
            .WithSchedule(
                CronScheduleBuilder
                    .Create(cron)
                    .InTimeZone(settings.Schedule.TimeZone)
                    .WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed)
            )
            .Build();
}

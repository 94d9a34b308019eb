using Archiver.Core.Configuration;
using Archiver.Core.Sources;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>
/// Keeps the schedule: source by source as they become ready, policies with a common cron expression as one job, then what was missed while
/// no worker was there, or what the environment triggers. Quartz's own hosted service would start before anybody knows what was missed.
/// </summary>
internal sealed class SchedulerService(
    ArchiverSettings settings, ISchedulerFactory schedulers, ServerWait servers, MissedRuns missed, DiscardSchedule discards, Trigger trigger,
    IHostApplicationLifetime lifetime, ILogger<SchedulerService> logger) : BackgroundService
{
    private IScheduler? _scheduler;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        // Running jobs are cancelled (ShutdownJobInterruption) and waited for: they finish or roll back the batch in hand.
        if (_scheduler is not null)
            await _scheduler.Shutdown(waitForJobsToComplete: true, cancellationToken).ConfigureAwait(false);
        logger.WorkerStopped();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            _scheduler = await schedulers.GetScheduler(stoppingToken).ConfigureAwait(false);
            await _scheduler.Start(stoppingToken).ConfigureAwait(false);
            await Task.WhenAll(settings.Sources.Select(s => ScheduleAsync(_scheduler, s, stoppingToken))).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped while it still waited for a server.
        }
        catch (Exception exception)
        {
            // Thrown on, it would stop the host and still end the process with 0.
            logger.SchedulerFailed(exception);
            Environment.ExitCode = ExitCode.Failed;
            lifetime.StopApplication();
        }
    }

    private async Task ScheduleAsync(IScheduler scheduler, SourceSettings source, CancellationToken cancellationToken)
    {
        await servers.UntilReadyAsync(source, cancellationToken).ConfigureAwait(false);
        await discards.ScheduleAsync(scheduler, source, cancellationToken).ConfigureAwait(false);
        // Before the schedule starts: a firing in between would hide that an earlier one was missed.
        var now = await missed.FindAsync(source, cancellationToken).ConfigureAwait(false);
        var triggered = trigger.Policies(source).Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var group in source.Policies.GroupBy(p => p.Cron, StringComparer.Ordinal))
        {
            var names = group.Select(p => p.Name).ToList();
            var next = await scheduler.ScheduleJob(Job(source.Name, group.Key, names), TriggerOf(source.Name, group.Key), cancellationToken: cancellationToken).ConfigureAwait(false);
            var all = string.Join(", ", names);
            logger.Scheduled(all, source.Name, group.Key, next);
            var atOnce = names.Where(n => now.Contains(n) || triggered.Contains(n)).ToList();
            if (atOnce.Count == 0)
                continue;
            var some = string.Join(", ", atOnce);
            logger.RunningNow(some, source.Name, atOnce.Exists(triggered.Contains) ? Trigger.Variable : "a run was missed while no worker was there");
            await scheduler.TriggerJob(PolicyJob.Key(source.Name, group.Key), PolicyJob.Data(atOnce), cancellationToken).ConfigureAwait(false);
        }
    }

    private static IJobDetail Job(string source, string cron, IEnumerable<string> policies) =>
        JobBuilder.Create<PolicyJob>().WithIdentity(PolicyJob.Key(source, cron)).StoreDurably().UsingJobData(PolicyJob.Data(policies)).Build();

    private ITrigger TriggerOf(string source, string cron) => TriggerBuilder.Create()
        .WithIdentity(cron, source)
        .ForJob(PolicyJob.Key(source, cron))
        .WithSchedule(CronScheduleBuilder.Create(cron).InTimeZone(settings.Schedule.TimeZone).WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed))
        .Build();
}

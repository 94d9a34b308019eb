using Archiver.Core.Settings;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>The schedule of one worker by itself, in its memory: source by source as they become ready.</summary>
internal sealed class LocalSchedule(
    ISchedulerFactory schedulers,
    SourceSchedule schedule,
    Readiness readiness,
    TimeProvider time,
    ILogger<LocalSchedule> logger
)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    private IScheduler? _scheduler;

    /// <summary>Starts the scheduler; returns when all sources are scheduled, however long that takes.</summary>
    public async Task StartAsync(IEnumerable<SourceSettings> sources, CancellationToken cancellationToken)
    {
        _scheduler = await schedulers.GetScheduler(cancellationToken);
        await _scheduler.Start(cancellationToken);
        await Task.WhenAll(sources.Select(s => UntilScheduledAsync(_scheduler, s, cancellationToken)));
    }

    /// <summary>Running jobs are cancelled (ShutdownJobInterruption) and waited for: they finish or roll back the batch in hand.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_scheduler is not null)
            await _scheduler.Shutdown(waitForJobsToComplete: true, cancellationToken);
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
                await schedule.ScheduleAsync(scheduler, source, cancellationToken);
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
}

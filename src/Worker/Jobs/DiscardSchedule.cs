using Archiver.Core.Discard;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>
/// Where <c>Discard:After</c> is set the worker discards once a day, at half past three: after the nightly runs by their default schedule.
/// An age counted in months needs no schedule of its own to configure.
/// </summary>
internal sealed class DiscardSchedule(
    ArchiverSettings settings,
    ConnectionCatalog connections,
    TimeProvider time,
    ILogger<DiscardSchedule> logger
)
{
    private const string Cron = "0 30 3 * * ?";

    /// <summary>Schedules the source's discards, and runs one now when the last time was missed.</summary>
    public async Task ScheduleAsync(IScheduler scheduler, SourceSettings source, CancellationToken cancellationToken)
    {
        if (settings.Discard.After is null)
            return;
        var job = JobBuilder
            .Create<DiscardJob>()
            .WithIdentity(DiscardJob.Key(source.Name))
            .StoreDurably()
            .RequestRecovery(settings.Schedule.Clustered)
            .Build();
        var trigger = TriggerBuilder
            .Create()
            .WithIdentity(Discarder.Name, source.Name)
            .ForJob(DiscardJob.Key(source.Name))
            .WithSchedule(
                CronScheduleBuilder
                    .Create(Cron)
                    .InTimeZone(settings.Schedule.TimeZone)
                    .WithMisfireInstruction(CronTriggerMisfireInstruction.FireAndProceed)
            )
            .Build();
        // Asked first: an answer that does not come must not leave a trigger that makes the next attempt take the discard for not missed.
        var missed = await MissedAsync(source, cancellationToken);
        var (isNew, next) = await StoredJobs.EnsureAsync(scheduler, job, trigger, cancellationToken);
        logger.ScheduledNext(Discarder.Name, source.Name, Cron, next);
        if (isNew && missed)
            await scheduler.TriggerJob(DiscardJob.Key(source.Name), cancellationToken: cancellationToken);
    }

    private async Task<bool> MissedAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        var last = await RunHistory.LastRunsAsync(
            connection,
            source.Name,
            [Discarder.Name],
            shards: 1,
            [Discarder.Name],
            cancellationToken
        );
        return CronExpression.Parse(Cron).WithTimeZone(settings.Schedule.TimeZone).GetNextValidTimeAfter(last[Discarder.Name])
            <= time.GetUtcNow();
    }
}

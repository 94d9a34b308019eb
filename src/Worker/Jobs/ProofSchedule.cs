using Archiver.Core.Proofs;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>Schedules the proofs that are configured: <c>Schedule:Verify</c>, <c>RestoreDrill</c> and <c>Reconcile</c>.</summary>
internal sealed class ProofSchedule(
    ArchiverSettings settings,
    ConnectionCatalog connections,
    TimeProvider time,
    ILogger<ProofSchedule> logger
)
{
    /// <summary>Schedules the source's proofs, and does one now when its last time was missed.</summary>
    /// <returns>The jobs that there are.</returns>
    public async Task<IReadOnlyList<JobKey>> ScheduleAsync(IScheduler scheduler, SourceSettings source, CancellationToken cancellationToken)
    {
        List<JobKey> keys = [];
        foreach (var proof in Enum.GetValues<Proof>())
        {
            if (settings.Schedule.CronOf(proof) is { } cron)
                keys.Add(await ScheduleAsync(scheduler, source, proof, cron, cancellationToken));
        }
        return keys;
    }

    private async Task<JobKey> ScheduleAsync(
        IScheduler scheduler,
        SourceSettings source,
        Proof proof,
        string cron,
        CancellationToken cancellationToken
    )
    {
        var key = ProofJob.Key(source.Name, proof);
        // Not recovered: what killed one worker, such as an object that needs more memory than there is, would kill the others, too.
        var job = JobBuilder.Create<ProofJob>().WithIdentity(key).StoreDurably().RequestRecovery(false).Build();
        var trigger = StoredJobs.TriggerOf(key, cron, settings.Schedule.TimeZone);
        // Asked first: an answer that does not come must not leave a trigger that makes the next attempt take the proof for not missed.
        var missed = await MissedAsync(source, proof, cron, cancellationToken);
        var (isNew, next) = await StoredJobs.EnsureAsync(scheduler, job, trigger, cancellationToken);
        logger.ScheduledNext(key.Name, source.Name, cron, next);
        if (isNew && missed)
            await scheduler.TriggerJob(key, cancellationToken: cancellationToken);
        return key;
    }

    private async Task<bool> MissedAsync(SourceSettings source, Proof proof, string cron, CancellationToken cancellationToken)
    {
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        var last = await ProofRecords.LastTimeAsync(connection, source.Name, proof, cancellationToken);
        return CronExpression.Parse(cron).WithTimeZone(settings.Schedule.TimeZone).GetNextValidTimeAfter(last) <= time.GetUtcNow();
    }
}

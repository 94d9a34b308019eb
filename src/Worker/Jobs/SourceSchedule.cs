using Archiver.Core.Settings;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>All that is scheduled of a source: its policies, its discards, its proofs.</summary>
internal sealed class SourceSchedule(
    ArchiverSettings settings,
    ServerWait servers,
    DiscardSchedule discards,
    ProofSchedule proofs,
    PolicySchedule policies
)
{
    /// <summary>Brings a scheduler up to date with the configuration, once the source is ready.</summary>
    public async Task ScheduleAsync(IScheduler scheduler, SourceSettings source, CancellationToken cancellationToken)
    {
        await servers.UntilReadyAsync(source, cancellationToken);
        await discards.ScheduleAsync(scheduler, source, cancellationToken);
        HashSet<JobKey> configured =
        [
            .. await proofs.ScheduleAsync(scheduler, source, cancellationToken),
            .. await policies.ScheduleAsync(scheduler, source, cancellationToken),
        ];
        if (settings.Discard.After is not null)
            configured.Add(DiscardJob.Key(source.Name));
        if (settings.Schedule.Clustered)
            await StoredJobs.RemoveOthersAsync(scheduler, configured, cancellationToken);
    }
}

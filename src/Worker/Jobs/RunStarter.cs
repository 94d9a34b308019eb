using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Worker.Access;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>
/// Starts a policy now, on request, through the job that its schedule uses: it queues behind a run that is going on instead of colliding.
/// </summary>
internal sealed class RunStarter(
    PolicyChoice choice,
    ArchiverSettings settings,
    ISchedulerFactory schedulers,
    ClusteredSchedule cluster,
    ILogger<RunStarter> logger
)
{
    /// <summary>The full name of the policy that was started, or null while its source is not ready and so not scheduled.</summary>
    /// <exception cref="ArchiverException">There is no such policy, or the name means several.</exception>
    public async Task<string?> StartAsync(string name, CancellationToken cancellationToken)
    {
        var found = choice.Policies(source: null, name);
        if (found is not [var (source, policy)])
            throw new ArchiverException(
                FailureKind.Configuration,
                $"Several sources have a policy '{name}': {string.Join(", ", found.Select(f => f.Policy.FullName))}."
            );
        // In a cluster the firing goes into the common store, and whichever worker is free takes it, with shards each part of it.
        var scheduler = settings.Schedule.Clustered ? cluster.Of(source.Name) : await schedulers.GetScheduler(cancellationToken);
        var jobs = PolicyJob
            .Shards(settings.Schedule)
            .Select(shard => (Shard: shard, Key: PolicyJob.Key(source.Name, policy.Cron, shard)))
            .ToList();
        if (scheduler is null || !await scheduler.Exists(jobs[^1].Key, cancellationToken))
            return null;
        logger.RunningNow(policy.Name, source.Name, "asked for over HTTP");
        foreach (var (shard, key) in jobs)
            await scheduler.TriggerJob(key, PolicyJob.Data([policy.Name], shard), cancellationToken);
        return policy.FullName;
    }
}

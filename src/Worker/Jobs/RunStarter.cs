using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Worker.Commands;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>Starts a policy now, on request, through the job that its schedule uses: it queues behind a run that is going on instead of colliding.</summary>
internal sealed class RunStarter(PolicyChoice choice, ArchiverSettings settings, ISchedulerFactory schedulers, ILogger<RunStarter> logger)
{
    /// <summary>The full name of the policy that was started, or null while its source is not ready and so not scheduled.</summary>
    /// <exception cref="ArchiverException">There is no such policy, or the name means several.</exception>
    public async Task<string?> StartAsync(string name, CancellationToken cancellationToken)
    {
        var found = choice.Policies(source: null, name);
        if (found is not [var (source, policy)])
            throw new ArchiverException(FailureKind.Configuration, $"Several sources have a policy '{name}': {string.Join(", ", found.Select(f => f.Policy.FullName))}.");
        // The schedule of a cluster is in the database, one job a shard: there this process alone has nothing to trigger.
        if (settings.Schedule.Clustered)
            throw new ArchiverException(FailureKind.Refused, $"The schedule is clustered; start it with: archiver archive --policy {policy.FullName}");
        var scheduler = await schedulers.GetScheduler(cancellationToken).ConfigureAwait(false);
        var job = PolicyJob.Key(source.Name, policy.Cron, shard: null);
        if (!await scheduler.Exists(job, cancellationToken).ConfigureAwait(false))
            return null;
        logger.RunningNow(policy.Name, source.Name, "asked for over HTTP");
        await scheduler.TriggerJob(job, PolicyJob.Data([policy.Name], shard: null), cancellationToken).ConfigureAwait(false);
        return policy.FullName;
    }
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Pipelines;

/// <summary>
/// What stops a run between two batches without being a failure: a person's pause, its time is up, a replica that does not catch up. What is
/// left is for the next run.
/// </summary>
/// <param name="retry">Its budget is how long the run waits for a replica that is too far behind.</param>
internal sealed class RunLimits(RunContext run, RetrySettings retry, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan LagPoll = TimeSpan.FromSeconds(1);

    private readonly long _started = time.GetTimestamp();
    private readonly ReplicationLag _lag = new(time);

    /// <summary>Sessions of the next batch.</summary>
    public BatchPace Pace { get; } = new(run.Batch.Sessions);

    /// <summary>Why no further batch is to be taken, or null. Waits first, bounded, while a replica is further behind than it may be.</summary>
    public async Task<string?> ReachedAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        for (var waited = false; ; waited = true)
        {
            if (run.Policy.MaxDuration is { } longest && time.GetElapsedTime(_started) >= longest)
                return "MaxDuration is reached; the next run goes on";
            if (await PausedAsync(cancellationToken) is { } pause)
                return pause;
            if (run.Batch.MaxReplicationLag is not { } most || await LagAsync(cancellationToken) is var lag && lag <= most)
                return null;
            if (!waited)
                logger.WaitingForReplica(run.Id, Duration.Format(lag), Duration.Format(most));
            if (time.GetElapsedTime(began) >= retry.Budget)
                return $"a replica has been further behind than Batch:MaxReplicationLag ({Duration.Format(most)}) for {Duration.Format(retry.Budget)}";
            await Task.Delay(LagPoll < retry.Budget ? LagPoll : retry.Budget, time, cancellationToken);
        }
    }

    private async Task<string?> PausedAsync(CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        return await Pauses.FindAsync(connection, run.Source.Name, run.Policy.Name, cancellationToken) is { } name
            ? Pauses.StoppedBy(name)
            : null;
    }

    // No connection is kept over a wait.
    private async Task<TimeSpan> LagAsync(CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        return await _lag.ReadAsync(connection, cancellationToken);
    }
}

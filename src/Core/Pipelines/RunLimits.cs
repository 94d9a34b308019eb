using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Pipelines;

/// <summary>
/// What holds a run up or stops it between two batches without being a failure: its own pauses, a person's pause, its time is up, a replica
/// that does not catch up, a server that is busy. What is left is for the next run.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="retry">Its budget is how long the run waits for a replica that is too far behind, or for a server that is too busy.</param>
/// <param name="time">Measures and waits.</param>
/// <param name="logger">Told when the run waits, and why.</param>
internal sealed class RunLimits(RunContext run, RetrySettings retry, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    private readonly long _started = time.GetTimestamp();
    private readonly ReplicationLag _lag = new(time);
    private long _busy;

    /// <summary>Sessions of the next batch.</summary>
    public AdaptiveBatchSize BatchSize { get; } = new(run.Batch.Sessions);

    /// <summary>An export kept the database busy for so long, while another batch was changed or not.</summary>
    public void Exported(TimeSpan took) => Interlocked.Add(ref _busy, took.Ticks);

    /// <summary>The transaction that deleted, marked or expired so many sessions took so long.</summary>
    public void Changed(int sessions, TimeSpan took)
    {
        BatchSize.Report(sessions, took);
        Interlocked.Add(ref _busy, took.Ticks);
    }

    /// <summary>After a batch: as <c>Batch:Pause</c> says, for all that was done since the last pause.</summary>
    public Task PauseAsync(CancellationToken cancellationToken) =>
        run.Batch.Pause.After(new(Interlocked.Exchange(ref _busy, 0))) is { Ticks: > 0 } pause
            ? Task.Delay(pause, time, cancellationToken)
            : Task.CompletedTask;

    /// <summary>Whether no further batch is to be taken; then the reason is logged, and stands in the run's summary.</summary>
    public async Task<bool> EndRunAsync(DatabaseRetry database, RunTally tally, CancellationToken cancellationToken)
    {
        if (await database.ExecuteAsync(ReachedAsync, cancellationToken) is not { } reason)
            return false;
        logger.RunCutShort(run.Id, reason);
        tally.CutShort(reason);
        return true;
    }

    /// <summary>
    /// Why no further batch is to be taken, or null. Waits first, bounded, while a replica is further behind or the server busier than it
    /// may be.
    /// </summary>
    public async Task<string?> ReachedAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        for (var waited = false; ; waited = true)
        {
            if (run.Policy.MaxDuration is { } longest && time.GetElapsedTime(_started) >= longest)
                return "MaxDuration is reached; the next run goes on";
            if (await PausedAsync(cancellationToken) is { } pause)
                return pause;
            if (await ThrottledAsync(announce: !waited, cancellationToken) is not { } reason)
                return null;
            if (time.GetElapsedTime(began) >= retry.Budget)
                return $"{reason} for {Duration.Format(retry.Budget)}";
            await Task.Delay(Poll < retry.Budget ? Poll : retry.Budget, time, cancellationToken);
        }
    }

    private async Task<string?> PausedAsync(CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        return await Pauses.StoppedByAsync(connection, run.Source, run.Policy.Name, cancellationToken);
    }

    /// <summary>What is too much now; null when nothing is.</summary>
    private async Task<string?> ThrottledAsync(bool announce, CancellationToken cancellationToken)
    {
        if (run.Batch is { MaxReplicationLag: null, MaxActive: null })
            return null;
        // No connection is kept over a wait.
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        if (run.Batch.MaxReplicationLag is { } most && await _lag.ReadAsync(connection, cancellationToken) is var lag && lag > most)
        {
            if (announce)
                logger.WaitingForReplica(run.Id, Duration.Format(lag), Duration.Format(most));
            return $"a replica has been further behind than Batch:MaxReplicationLag ({Duration.Format(most)})";
        }
        if (
            run.Batch.MaxActive is { } clients
            && await ActiveBackends.CountAsync(connection, cancellationToken) is var active
            && active > clients
        )
        {
            if (announce)
                logger.WaitingForClients(run.Id, active, clients);
            return $"the server has been at work for more than {clients} other clients (Batch:MaxActive)";
        }
        return null;
    }
}

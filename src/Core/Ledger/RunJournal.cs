using System.Globalization;
using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// Begins and ends runs in the ledger. A run that says <c>running</c> lives as long as its lease is held; the runs of other shards may, so
/// the caller's own lock says nothing about them.
/// </summary>
internal static class RunJournal
{
    // Objects that a dead run recorded and did not settle: whether they exist is unknown. They are never removed by a run, only labelled.
    private const string SettleDeadRuns = $"""
        WITH dead AS (
          UPDATE archiver.runs AS r SET state = 'interrupted', ended_at = clock_timestamp()
          WHERE r.source = $1 AND r.state = 'running' AND NOT {Lease.OfLivingRun}
          RETURNING r.id
        )
        SELECT count(*) FROM dead
        """;

    // Between looking for runs with another number of shards and recording this one, no other may do the same.
    private const string OneAtATime = "SELECT pg_advisory_xact_lock(hashtextextended('archiver/begin/' || $1, 0))";

    private const string Disagreeing = $"""
        SELECT r.worker, r.shards
        FROM archiver.runs AS r
        WHERE r.source = $1 AND r.state = 'running' AND r.shards <> $2 AND r.action IN ('archive', 'purge', 'expire') AND {Lease.OfLivingRun}
        LIMIT 1
        """;

    private const string Unfinished = $"""
        SELECT r.shard
        FROM (SELECT DISTINCT ON (l.shard) l.*
              FROM archiver.runs AS l
              WHERE l.source = $1 AND l.policy = $2 AND l.shards = $3
              ORDER BY l.shard, l.started_at DESC) AS r
        WHERE r.state = 'interrupted' OR (r.state = 'running' AND NOT {Lease.OfLivingRun})
        """;

    private const string SettlePending = """
        UPDATE archiver.objects AS o
        SET state = 'abandoned', reason = 'run ended', ended_at = clock_timestamp()
        FROM archiver.runs AS r
        WHERE r.id = o.run_id AND o.source = $1 AND o.state = 'pending' AND r.state <> 'running'
        """;

    private const string Insert = """
        INSERT INTO archiver.runs (id, source, policy, action, cut_off, worker, lease, shard, shards) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """;

    private const string Finish = """
        UPDATE archiver.runs
        SET state = $2, ended_at = clock_timestamp(), sessions_selected = $3, sessions_skipped = $4, sessions_failed = $5, reasons = $6, error = $7
        WHERE id = $1 AND state = 'running'
        """;

    private const string Count = """
        UPDATE archiver.runs
        SET sessions_done = sessions_done + $2, rows_deleted = rows_deleted + $3, bytes_json = bytes_json + $4, bytes_stored = bytes_stored + $5
        WHERE id = $1
        """;

    private const int EndAttempts = 4;

    /// <summary>This process, as runs and audit name it.</summary>
    public static string WorkerName { get; } = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}/{Environment.ProcessId}");

    /// <summary>Records a run, after settling what earlier runs of the source left behind; returns how many had died.</summary>
    /// <exception cref="ArchiverException">A worker with another number of shards is running on the source; kind Refused.</exception>
    public static Task<long> BeginAsync(
        NpgsqlConnection connection, Guid id, Policy policy, Shard shard, Lease lease, Cutoffs cutoffs, CancellationToken cancellationToken) =>
        BeginAsync(connection, id, policy.Source, policy.Name, policy.Action.ToString().ToLowerInvariant(), shard, lease, cutoffs, cancellationToken);

    /// <summary>The same for an action that no policy asks for, such as <c>restore</c>; it has the whole source.</summary>
    public static Task<long> BeginAsync(
        NpgsqlConnection connection, Guid id, string source, string policy, string action, Lease lease, Cutoffs cutoffs, CancellationToken cancellationToken) =>
        BeginAsync(connection, id, source, policy, action, Shard.Whole, lease, cutoffs, cancellationToken);

    /// <summary>Refuses when a living run of the source splits it in another way: both would take the same sessions.</summary>
    /// <exception cref="ArchiverException">Kind Refused; it names the worker.</exception>
    public static async Task RequireAgreementAsync(NpgsqlConnection connection, string source, int shards, CancellationToken cancellationToken)
    {
        var found = await connection.QueryAsync(
            Disagreeing, row => (Worker: row.GetString(0), Shards: row.GetInt32(1)), cancellationToken, PgParameter.Text(source), PgParameter.Int(shards));
        if (found is [var other])
            throw new ArchiverException(FailureKind.Refused, string.Create(CultureInfo.InvariantCulture,
                $"Worker {other.Worker} is running on source '{source}' with Archiver:Schedule:Shards {other.Shards}, and this one has {shards}: give every worker the same. Nothing was changed."));
    }

    /// <summary>Shards of a policy whose last worker died in the middle.</summary>
    public static async Task<IReadOnlyList<int>> FindUnfinishedAsync(
        NpgsqlConnection connection, string source, string policy, int shards, CancellationToken cancellationToken) =>
        await connection.QueryAsync(
            Unfinished, row => row.GetInt32(0), cancellationToken, PgParameter.Text(source), PgParameter.Text(policy), PgParameter.Int(shards));

    private static async Task<long> BeginAsync(
        NpgsqlConnection connection, Guid id, string source, string policy, string action, Shard shard, Lease lease, Cutoffs cutoffs, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(OneAtATime, cancellationToken, PgParameter.Text(source));
        await RequireAgreementAsync(connection, source, shard.Count, cancellationToken);
        var dead = await connection.ScalarAsync<long>(SettleDeadRuns, cancellationToken, PgParameter.Text(source));
        await connection.ExecuteAsync(SettlePending, cancellationToken, PgParameter.Text(source));
        await connection.ExecuteAsync(
            Insert, cancellationToken, PgParameter.Uuid(id), PgParameter.Text(source), PgParameter.Text(policy),
            PgParameter.Text(action), PgParameter.Instant(cutoffs.Now), PgParameter.Text(WorkerName),
            PgParameter.Bigint(lease.Nonce), PgParameter.Int(shard.Number), PgParameter.Int(shard.Count));
        await transaction.CommitAsync(cancellationToken);
        return dead;
    }

    /// <summary>Adds to a run's counts in the transaction that did it, so that they are of confirmed work even after a crash.</summary>
    public static Task CountAsync(NpgsqlConnection connection, Guid id, RunCounts counts, CancellationToken cancellationToken) => connection.ExecuteAsync(
        Count, cancellationToken, PgParameter.Uuid(id), PgParameter.Bigint(counts.Sessions), PgParameter.Bigint(counts.Rows),
        PgParameter.Bigint(counts.JsonBytes), PgParameter.Bigint(counts.StoredBytes));

    /// <summary>Records how a run ended and settles the objects it left pending. Not cancellable: a run that was stopped must still say so.</summary>
    public static async Task EndAsync(SourceConnections connections, Guid id, string source, RunSummary summary)
    {
        // Connections of the pool that broke during the run are found out one by one, by their use. Not the run's retries: these could take
        // minutes, and a worker that is told to stop while its server is away must stop.
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var connection = await connections.OpenAsync(CancellationToken.None);
                await EndAsync(connection, id, source, summary, CancellationToken.None);
                return;
            }
            catch (Exception exception) when (PgErrors.IsTransient(exception) && attempt < EndAttempts)
            {
                // Tried again at once, on another connection.
            }
        }
    }

    private static async Task EndAsync(NpgsqlConnection connection, Guid id, string source, RunSummary summary, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // A standby that is gone must not keep a run from saying so.
        await connection.ExecuteAsync("SET LOCAL synchronous_commit = local", cancellationToken);
        await connection.ExecuteAsync(
            Finish, cancellationToken, PgParameter.Uuid(id), PgParameter.Text(StateOf(summary.Outcome)), PgParameter.Bigint(summary.Selected),
            PgParameter.Bigint(summary.Skipped), PgParameter.Bigint(summary.Failed), PgParameter.Json(JsonSerializer.Serialize(summary.Reasons)), PgParameter.Text(summary.Error));
        await connection.ExecuteAsync(SettlePending, cancellationToken, PgParameter.Text(source));
        await transaction.CommitAsync(cancellationToken);
    }

    private static string StateOf(RunOutcome outcome) => outcome switch
    {
        RunOutcome.Done => "done",
        RunOutcome.Partial => "partial",
        RunOutcome.Failed => "failed",
        RunOutcome.Refused => "refused",
        RunOutcome.Cancelled => "cancelled",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "Such a run is not recorded."),
    };
}

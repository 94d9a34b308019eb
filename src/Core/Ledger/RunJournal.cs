using System.Globalization;
using System.Text.Json;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>Begins and ends runs in the ledger. The caller holds the source's lock, so a run that still says <c>running</c> has died.</summary>
internal static class RunJournal
{
    // Objects that a dead run recorded and did not settle: whether they exist is unknown. They are never removed by a run, only labelled.
    private const string SettleDeadRuns = """
        WITH dead AS (
          UPDATE archiver.runs SET state = 'interrupted', ended_at = clock_timestamp()
          WHERE source = $1 AND state = 'running'
          RETURNING id
        )
        SELECT count(*) FROM dead
        """;

    private const string SettlePending = """
        UPDATE archiver.objects AS o
        SET state = 'abandoned', reason = 'run ended', ended_at = clock_timestamp()
        FROM archiver.runs AS r
        WHERE r.id = o.run_id AND o.source = $1 AND o.state = 'pending' AND r.state <> 'running'
        """;

    private const string Insert = """
        INSERT INTO archiver.runs (id, source, policy, action, cut_off, worker) VALUES ($1, $2, $3, $4, $5, $6)
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

    /// <summary>This process, as runs and audit name it.</summary>
    public static string WorkerName { get; } = string.Create(CultureInfo.InvariantCulture, $"{Environment.MachineName}/{Environment.ProcessId}");

    /// <summary>Records a run, after settling what earlier runs of the source left behind; returns how many had died.</summary>
    public static Task<long> BeginAsync(NpgsqlConnection connection, Guid id, Policy policy, Cutoffs cutoffs, CancellationToken cancellationToken) =>
        BeginAsync(connection, id, policy.Source, policy.Name, policy.Action.ToString().ToLowerInvariant(), cutoffs, cancellationToken);

    /// <summary>The same for an action that no policy asks for, such as <c>restore</c>.</summary>
    public static async Task<long> BeginAsync(
        NpgsqlConnection connection, Guid id, string source, string policy, string action, Cutoffs cutoffs, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        var dead = await connection.ScalarAsync<long>(SettleDeadRuns, cancellationToken, PgParameter.Text(source)).ConfigureAwait(false);
        await connection.ExecuteAsync(SettlePending, cancellationToken, PgParameter.Text(source)).ConfigureAwait(false);
        await connection.ExecuteAsync(
            Insert, cancellationToken, PgParameter.Uuid(id), PgParameter.Text(source), PgParameter.Text(policy),
            PgParameter.Text(action), PgParameter.Instant(cutoffs.Now), PgParameter.Text(WorkerName)).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return dead;
    }

    /// <summary>Adds to a run's counts in the transaction that did it, so that they are of confirmed work even after a crash.</summary>
    public static Task CountAsync(NpgsqlConnection connection, Guid id, RunCounts counts, CancellationToken cancellationToken) => connection.ExecuteAsync(
        Count, cancellationToken, PgParameter.Uuid(id), PgParameter.Bigint(counts.Sessions), PgParameter.Bigint(counts.Rows),
        PgParameter.Bigint(counts.JsonBytes), PgParameter.Bigint(counts.StoredBytes));

    /// <summary>Records how a run ended and settles the objects it left pending.</summary>
    public static async Task EndAsync(NpgsqlConnection connection, Guid id, string source, RunSummary summary, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        // A standby that is gone must not keep a run from saying so.
        await connection.ExecuteAsync("SET LOCAL synchronous_commit = local", cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync(
            Finish, cancellationToken, PgParameter.Uuid(id), PgParameter.Text(StateOf(summary.Outcome)), PgParameter.Bigint(summary.Selected),
            PgParameter.Bigint(summary.Skipped), PgParameter.Bigint(summary.Failed), PgParameter.Json(JsonSerializer.Serialize(summary.Reasons)), PgParameter.Text(summary.Error)).ConfigureAwait(false);
        await connection.ExecuteAsync(SettlePending, cancellationToken, PgParameter.Text(source)).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
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

using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// Sessions that failed: tried again by later runs, after a pause that doubles each time, and set aside for a person after
/// <see cref="RetrySettings.MaxAttempts"/>. So a poison session costs a run one attempt now and then and never blocks others.
/// </summary>
internal static class Quarantine
{
    private const string Record = """
        INSERT INTO archiver.quarantine AS q (source, session_id, reason, attempts, run_id, next_attempt_at, quarantined_at)
        SELECT $1, n.session_id, n.reason, 1, $2, CASE WHEN $5 > 1 THEN clock_timestamp() + $6 END, CASE WHEN $5 <= 1
          THEN clock_timestamp() END
        FROM unnest($3, $4) AS n (session_id, reason)
        ON CONFLICT (source, session_id) DO UPDATE
        SET reason = excluded.reason,
            attempts = q.attempts + 1,
            run_id = excluded.run_id,
            last_failed_at = clock_timestamp(),
            next_attempt_at = CASE WHEN q.attempts + 1 < $5 THEN clock_timestamp() + $6 * (2 ^ least(q.attempts, 10)) END,
            quarantined_at = CASE WHEN q.attempts + 1 >= $5 THEN clock_timestamp() END
        """;

    private const string Clear =
        "DELETE FROM archiver.quarantine AS q WHERE q.source = $1 AND ($2::text[] IS NULL OR q.session_id = ANY ($2))";

    private const string Has = "SELECT EXISTS (SELECT FROM archiver.quarantine AS q WHERE q.source = $1 AND q.session_id = $2)";

    private const string List = """
        SELECT q.session_id, q.reason, q.attempts,
               to_char(q.first_failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               to_char(q.last_failed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               to_char(q.next_attempt_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               q.quarantined_at IS NOT NULL
        FROM archiver.quarantine AS q
        WHERE q.source = $1
        ORDER BY q.quarantined_at IS NULL, q.last_failed_at DESC, q.session_id
        LIMIT $2
        """;

    /// <summary>
    /// First pause before a failed session is tried again. Runs come once a day as a rule, so it matters for frequent schedules only.
    /// </summary>
    private static readonly TimeSpan BackOff = TimeSpan.FromHours(1);

    /// <summary>Notes failures, each once a run; returns how many.</summary>
    public static async Task<int> RecordAsync(
        RunContext run,
        RetrySettings retry,
        IReadOnlyCollection<DroppedSession> failed,
        CancellationToken cancellationToken
    )
    {
        if (failed.Count == 0)
            return 0;
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        return await connection.ExecuteAsync(
            Record,
            cancellationToken,
            PgParameter.Text(run.Source.Name),
            PgParameter.Uuid(run.Id),
            PgParameter.Texts(failed.Select(f => f.Key)),
            PgParameter.Texts(failed.Select(f => f.Reason)),
            PgParameter.Int(retry.MaxAttempts),
            PgParameter.Interval(BackOff)
        );
    }

    /// <summary>Forgets the failures of these sessions, or of all; returns how many there were.</summary>
    public static async Task<int> ClearAsync(
        NpgsqlConnection connection,
        string source,
        IEnumerable<string>? sessions,
        CancellationToken cancellationToken
    ) => await connection.ExecuteAsync(Clear, cancellationToken, PgParameter.Text(source), PgParameter.TextsOrNull(sessions));

    /// <summary>The same because a person said so, which the audit keeps.</summary>
    public static async Task<int> RetryAsync(
        SourceConnections connections,
        string source,
        IEnumerable<string>? sessions,
        string by,
        CancellationToken cancellationToken
    )
    {
        await using var change = await LedgerTransaction.BeginAsync(connections, source, cancellationToken);
        var cleared = await ClearAsync(change.Connection, source, sessions, cancellationToken);
        await change.AuditAsync(
            new(by, "quarantine retry", source, Counts: new Dictionary<string, long> { ["sessions"] = cleared }),
            cancellationToken
        );
        await change.CommitAsync(cancellationToken);
        return cleared;
    }

    /// <summary>Whether a session has failed.</summary>
    public static Task<bool> HasAsync(NpgsqlConnection connection, string source, string session, CancellationToken cancellationToken) =>
        connection.ScalarAsync<bool>(Has, cancellationToken, PgParameter.Text(source), PgParameter.Text(session));

    /// <summary>Sessions that failed, those set aside first.</summary>
    public static async Task<IReadOnlyList<FailedSession>> ListAsync(
        NpgsqlConnection connection,
        string source,
        int limit,
        CancellationToken cancellationToken
    ) =>
        await connection.QueryAsync(
            List,
            row => new FailedSession(
                source,
                row.GetString(0),
                row.GetString(1),
                row.GetInt32(2),
                row.GetString(3),
                row.GetString(4),
                row.TextOrNull(5),
                row.GetBoolean(6)
            ),
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Int(limit)
        );
}

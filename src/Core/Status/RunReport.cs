using System.Text.Json;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Status;

/// <summary>What the ledger says about runs.</summary>
internal static class RunReport
{
    // A worker that died, or could not write how its run ended, leaves it as running, until the next run settles it; nobody is to wait for that.
    private const string State = $"CASE WHEN r.state = 'running' AND NOT {Lease.OfLivingRun} THEN 'interrupted' ELSE r.state END";

    private const string Columns = $"""
        SELECT r.id, r.source, r.policy, r.action, {State}, r.started_at, r.ended_at, extract(epoch FROM coalesce(r.ended_at, clock_timestamp()) - r.started_at)::float8,
               r.sessions_selected, r.sessions_done, r.sessions_skipped, r.sessions_failed, r.rows_deleted, r.bytes_json, r.bytes_stored, r.reasons::text, r.error
        FROM archiver.runs AS r
        """;

    private const string Newest = Columns + """

        WHERE r.source = $1 AND ($2::text IS NULL OR r.policy = $2)
        ORDER BY r.started_at DESC, r.id DESC
        LIMIT $3
        """;

    private const string Sums = """
        WITH runs AS (SELECT * FROM archiver.runs AS r WHERE r.source = $1),
        states AS (
          SELECT s.policy, s.action, jsonb_object_agg(s.state, s.runs) AS by_state
          FROM (SELECT r.policy, r.action, r.state, count(*) AS runs FROM runs AS r WHERE r.state <> 'running' GROUP BY 1, 2, 3) AS s
          GROUP BY 1, 2
        ),
        reasons AS (
          SELECT s.policy, s.action, jsonb_object_agg(s.reason, s.sessions) AS by_reason
          FROM (SELECT r.policy, r.action, n.key AS reason, sum(n.value::bigint) AS sessions
                FROM runs AS r CROSS JOIN jsonb_each_text(r.reasons) AS n GROUP BY 1, 2, 3) AS s
          GROUP BY 1, 2
        )
        SELECT r.policy, r.action, coalesce((SELECT s.by_state FROM states AS s WHERE (s.policy, s.action) = (r.policy, r.action)), '{}')::text,
               sum(r.sessions_done)::bigint, sum(r.sessions_skipped)::bigint, sum(r.sessions_failed)::bigint,
               sum(r.rows_deleted)::bigint, sum(r.bytes_json)::bigint, sum(r.bytes_stored)::bigint,
               coalesce((SELECT s.by_reason FROM reasons AS s WHERE (s.policy, s.action) = (r.policy, r.action)), '{}')::text
        FROM runs AS r
        GROUP BY r.policy, r.action
        ORDER BY r.policy, r.action
        """;

    private const string ByDay = """
        SELECT d.day::date,
               coalesce(sum(r.sessions_done) FILTER (WHERE r.action <> 'restore'), 0)::bigint,
               coalesce(sum(r.sessions_done) FILTER (WHERE r.action = 'restore'), 0)::bigint,
               coalesce(sum(r.sessions_failed), 0)::bigint,
               coalesce(sum(r.rows_deleted), 0)::bigint,
               coalesce(sum(r.bytes_json) FILTER (WHERE r.action = 'archive'), 0)::bigint,
               coalesce(sum(r.bytes_stored), 0)::bigint
        FROM (SELECT date_trunc('day', clock_timestamp() AT TIME ZONE 'UTC') - n * interval '1 day' AS day FROM generate_series(0, $2 - 1) AS n) AS d
        LEFT JOIN archiver.runs AS r ON r.source = $1 AND r.started_at >= d.day AT TIME ZONE 'UTC' AND r.started_at < (d.day + interval '1 day') AT TIME ZONE 'UTC'
        GROUP BY d.day
        ORDER BY d.day
        """;

    private const string Successes = "SELECT r.policy, max(r.ended_at) FROM archiver.runs AS r WHERE r.source = $1 AND r.state = 'done' GROUP BY r.policy";

    private const string Last = Columns + """

        WHERE r.id IN (SELECT DISTINCT ON (l.policy) l.id FROM archiver.runs AS l WHERE l.source = $1 ORDER BY l.policy, l.started_at DESC, l.id DESC)
        """;

    /// <summary>The newest runs of a source, or of one of its policies.</summary>
    public static async Task<IReadOnlyList<RecordedRun>> NewestAsync(
        NpgsqlConnection connection, string source, string? policy, int limit, CancellationToken cancellationToken) =>
        await connection.QueryAsync(Newest, Read, cancellationToken, PgParameter.Text(source), PgParameter.Text(policy), PgParameter.Int(limit));

    /// <summary>The last run of each policy.</summary>
    public static async Task<IReadOnlyDictionary<string, RecordedRun>> LastAsync(NpgsqlConnection connection, string source, CancellationToken cancellationToken) =>
        (await connection.QueryAsync(Last, Read, cancellationToken, PgParameter.Text(source))).ToDictionary(r => r.Policy, StringComparer.Ordinal);

    /// <summary>When the last run of each policy ended that was done; policies without one are absent.</summary>
    public static async Task<IReadOnlyDictionary<string, DateTimeOffset>> SuccessesAsync(NpgsqlConnection connection, string source, CancellationToken cancellationToken) =>
        (await connection.QueryAsync(
            Successes, row => (Policy: row.GetString(0), At: row.GetFieldValue<DateTimeOffset>(1)), cancellationToken, PgParameter.Text(source)))
        .ToDictionary(r => r.Policy, r => r.At, StringComparer.Ordinal);

    /// <summary>All runs, summed up by policy and action.</summary>
    public static async Task<IReadOnlyList<RunTotals>> TotalsAsync(NpgsqlConnection connection, string source, CancellationToken cancellationToken) =>
        await connection.QueryAsync(
            Sums,
            row => new RunTotals(
                row.GetString(0), row.GetString(1), Counts(row.GetString(2)), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7),
                row.GetInt64(8), Counts(row.GetString(9))),
            cancellationToken, PgParameter.Text(source));

    /// <summary>Day by day, so many days up to today.</summary>
    public static async Task<IReadOnlyList<DayOfRuns>> DaysAsync(NpgsqlConnection connection, string source, int days, CancellationToken cancellationToken) =>
        await connection.QueryAsync(
            ByDay,
            row => new DayOfRuns(row.GetFieldValue<DateOnly>(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6)),
            cancellationToken, PgParameter.Text(source), PgParameter.Int(days));

    private static RecordedRun Read(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), row.GetFieldValue<DateTimeOffset>(5),
        row.IsDBNull(6) ? null : row.GetFieldValue<DateTimeOffset>(6), row.GetDouble(7), row.GetInt64(8), row.GetInt64(9), row.GetInt64(10), row.GetInt64(11),
        row.GetInt64(12), row.GetInt64(13), row.GetInt64(14), Counts(row.GetString(15)), row.TextOrNull(16));

    private static Dictionary<string, long> Counts(string json) => JsonSerializer.Deserialize<Dictionary<string, long>>(json)!;
}

using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Status;

/// <summary>The runs of a source, summed up.</summary>
internal static class RunSums
{
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
        SELECT r.policy, r.action, coalesce((SELECT s.by_state FROM states AS s
          WHERE (s.policy, s.action) = (r.policy, r.action)), '{}')::text,
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
        FROM (SELECT date_trunc('day', clock_timestamp() AT TIME ZONE 'UTC') - n * interval '1 day' AS day
          FROM generate_series(0, $2 - 1) AS n) AS d
        LEFT JOIN archiver.runs AS r ON r.source = $1 AND r.started_at >= d.day AT TIME ZONE 'UTC'
          AND r.started_at < (d.day + interval '1 day') AT TIME ZONE 'UTC'
        GROUP BY d.day
        ORDER BY d.day
        """;

    /// <summary>All runs, by policy and action.</summary>
    public static async Task<IReadOnlyList<RunTotals>> TotalsAsync(
        NpgsqlConnection connection,
        string source,
        CancellationToken cancellationToken
    ) =>
        await connection.QueryAsync(
            Sums,
            row => new RunTotals(
                row.GetString(0),
                row.GetString(1),
                Counts(row.GetString(2)),
                row.GetInt64(3),
                row.GetInt64(4),
                row.GetInt64(5),
                row.GetInt64(6),
                row.GetInt64(7),
                row.GetInt64(8),
                Counts(row.GetString(9))
            ),
            cancellationToken,
            PgParameter.Text(source)
        );

    /// <summary>Day by day, so many days up to today.</summary>
    public static async Task<IReadOnlyList<DayOfRuns>> DaysAsync(
        NpgsqlConnection connection,
        string source,
        int days,
        CancellationToken cancellationToken
    ) =>
        await connection.QueryAsync(
            ByDay,
            row => new DayOfRuns(
                row.GetFieldValue<DateOnly>(0),
                row.GetInt64(1),
                row.GetInt64(2),
                row.GetInt64(3),
                row.GetInt64(4),
                row.GetInt64(5),
                row.GetInt64(6)
            ),
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Int(days)
        );

    /// <summary>How many there are of each kind, from the ledger's JSON.</summary>
    public static IReadOnlyDictionary<string, long> Counts(string json) => JsonSerializer.Deserialize(json, PlainJson.Default.Counts)!;
}

using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Status;

/// <summary>What the ledger says about runs.</summary>
internal static class RunReport
{
    // A worker that died, or could not write how its run ended, leaves it as running, until the next run settles it; nobody is to wait for
    // that.
    private const string State = $"CASE WHEN r.state = 'running' AND NOT {Lease.OfLivingRun} THEN 'interrupted' ELSE r.state END";

    private const string Columns = $"""
        SELECT r.id, r.source, r.policy, r.action, {State}, r.started_at, r.ended_at, extract(epoch
          FROM coalesce(r.ended_at, clock_timestamp()) - r.started_at)::float8,
               r.sessions_selected, r.sessions_done, r.sessions_skipped, r.sessions_failed, r.rows_deleted, r.bytes_json, r.bytes_stored,
                 r.reasons::text, r.error
        FROM archiver.runs AS r
        """;

    private const string Newest =
        Columns
        + """

            WHERE r.source = $1 AND ($2::text IS NULL OR r.policy = $2)
            ORDER BY r.started_at DESC, r.id DESC
            LIMIT $3
            """;

    private const string Last =
        Columns
        + """

            WHERE r.id IN (SELECT DISTINCT ON (l.policy) l.id FROM archiver.runs AS l
              WHERE l.source = $1 AND l.action = ANY ($2)
              ORDER BY l.policy, l.started_at DESC, l.id DESC)
            """;

    /// <summary>The newest runs of a source, or of one of its policies.</summary>
    public static async Task<IReadOnlyList<RecordedRun>> NewestAsync(
        NpgsqlConnection connection,
        string source,
        string? policy,
        int limit,
        CancellationToken cancellationToken
    ) =>
        await connection.QueryAsync(
            Newest,
            Read,
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Text(policy),
            PgParameter.Int(limit)
        );

    /// <summary>The last run of each policy, and of no action of the same name that no policy asks for.</summary>
    public static async Task<IReadOnlyDictionary<string, RecordedRun>> LastAsync(
        NpgsqlConnection connection,
        string source,
        CancellationToken cancellationToken
    ) =>
        (
            await connection.QueryAsync(Last, Read, cancellationToken, PgParameter.Text(source), PgParameter.Texts(RunHistory.OfPolicies))
        ).ToDictionary(r => r.Policy, StringComparer.Ordinal);

    private static RecordedRun Read(NpgsqlDataReader row) =>
        new(
            row.GetGuid(0),
            row.GetString(1),
            row.GetString(2),
            row.GetString(3),
            row.GetString(4),
            row.GetFieldValue<DateTimeOffset>(5),
            row.IsDBNull(6) ? null : row.GetFieldValue<DateTimeOffset>(6),
            row.GetDouble(7),
            row.GetInt64(8),
            row.GetInt64(9),
            row.GetInt64(10),
            row.GetInt64(11),
            row.GetInt64(12),
            row.GetInt64(13),
            row.GetInt64(14),
            RunSums.Counts(row.GetString(15)),
            row.TextOrNull(16)
        );
}

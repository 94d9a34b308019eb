using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>What the ledger knows of earlier runs.</summary>
internal static class RunHistory
{
    // A run that was stopped or died has not done its work, so it does not count. A policy that never ran counts from the ledger's birth.
    // The shard that waits longest speaks for the policy; a run over the whole source did every shard's work.
    private const string Last = """
        SELECT p.name, min(coalesce(
                 (SELECT max(r.started_at)
                  FROM archiver.runs AS r
                  WHERE r.source = $1 AND r.policy = p.name AND r.state IN ('done', 'partial', 'failed', 'refused')
                    AND (r.shards = 1 OR (r.shards = $3 AND r.shard = n.shard))),
                 (SELECT l.created_at FROM archiver.ledger AS l)))
        FROM unnest($2) AS p (name), generate_series(1, $3) AS n (shard)
        GROUP BY p.name
        """;

    /// <summary>For each policy when its last run began that came to an end by itself, or when the ledger was made.</summary>
    public static async Task<IReadOnlyDictionary<string, DateTimeOffset>> LastRunsAsync(
        NpgsqlConnection connection,
        string source,
        IEnumerable<string> policies,
        int shards,
        CancellationToken cancellationToken
    )
    {
        var rows = await connection.QueryAsync(
            Last,
            row => (Policy: row.GetString(0), Started: row.GetFieldValue<DateTimeOffset>(1)),
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Texts(policies),
            PgParameter.Int(shards)
        );
        return rows.ToDictionary(r => r.Policy, r => r.Started, StringComparer.Ordinal);
    }
}

using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>What the ledger knows of earlier runs.</summary>
internal static class RunHistory
{
    /// <summary>
    /// As <c>runs.action</c> has what policies do. What a person asks for has other names, and a policy may be called by one.
    /// </summary>
    public static readonly IReadOnlyList<string> OfPolicies = [.. Enum.GetNames<PolicyAction>().Select(a => a.ToLowerInvariant())];

    // The shard that waits longest speaks for the policy; a run over the whole source did every shard's work.
    private const string Runs = """
        FROM archiver.runs AS r
        WHERE r.source = $1 AND r.policy = p.name AND r.action = ANY ($4) AND (r.shards = 1 OR (r.shards = $3 AND r.shard = n.shard))
        """;

    private const string Shards = "unnest($2) AS p (name), generate_series(1, $3) AS n (shard)";

    private const string Birth = "(SELECT l.created_at FROM archiver.ledger AS l)";

    // A run that was stopped or died has not done its work, so it does not count. A policy that never ran counts from the ledger's birth.
    private const string Last = $"""
        SELECT p.name, min(coalesce((SELECT max(r.started_at) {Runs} AND r.state IN ('done', 'partial', 'failed', 'refused')), {Birth}))
        FROM {Shards}
        GROUP BY p.name
        """;

    private const string Successes = $"""
        SELECT d.name, CASE WHEN count(d.at) = count(*) THEN min(d.at) END, min(coalesce(d.at, {Birth}))
        FROM (SELECT p.name, (SELECT max(r.ended_at) {Runs} AND r.state = 'done') AS at FROM {Shards}) AS d
        GROUP BY d.name
        """;

    /// <summary>For each policy when its last run ended that was done.</summary>
    public static async Task<IReadOnlyDictionary<string, PolicySuccess>> SuccessesAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        int shards,
        CancellationToken cancellationToken
    )
    {
        var rows = await connection.QueryAsync(
            Successes,
            row => (Policy: row.GetString(0), Success: new PolicySuccess(row.InstantOrNull(1), row.GetFieldValue<DateTimeOffset>(2))),
            cancellationToken,
            PgParameter.Text(source.Name),
            PgParameter.Texts(source.Policies.Select(p => p.Name)),
            PgParameter.Int(shards),
            PgParameter.Texts(OfPolicies)
        );
        return rows.ToDictionary(r => r.Policy, r => r.Success, StringComparer.Ordinal);
    }

    /// <summary>
    /// For each policy, or each action that no policy asks for, when its last run began that came to an end by itself, or when the ledger
    /// was made.
    /// </summary>
    public static async Task<IReadOnlyDictionary<string, DateTimeOffset>> LastRunsAsync(
        NpgsqlConnection connection,
        string source,
        IEnumerable<string> policies,
        int shards,
        IEnumerable<string> actions,
        CancellationToken cancellationToken
    )
    {
        var rows = await connection.QueryAsync(
            Last,
            row => (Policy: row.GetString(0), Started: row.GetFieldValue<DateTimeOffset>(1)),
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Texts(policies),
            PgParameter.Int(shards),
            PgParameter.Texts(actions)
        );
        return rows.ToDictionary(r => r.Policy, r => r.Started, StringComparer.Ordinal);
    }
}

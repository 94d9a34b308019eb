using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;

namespace Archiver.Core.Selection;

/// <summary>What a policy would do now, counted by the same predicate that selects.</summary>
/// <param name="Total">Sessions in the table.</param>
/// <param name="Eligible">Sessions that the policy takes.</param>
/// <param name="Excluded">The others by the first reason that keeps each out.</param>
internal sealed record PolicyPlan(long Total, long Eligible, IReadOnlyDictionary<string, long> Excluded)
{
    /// <summary>The sessions that the policy takes, of the run's shard and of all, by the index that selects them.</summary>
    /// <param name="run">The run.</param>
    /// <param name="most">What the run takes of all shards at most: of one without shards nothing beyond it is counted.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<(long OfShard, long OfPolicy)> CountEligibleAsync(
        RunContext run,
        long most,
        CancellationToken cancellationToken
    )
    {
        var parameters = new SqlParameters();
        var all = new SelectionStatements(run with { Shard = Shard.Whole }).Eligible(parameters);
        // Without a bound no LIMIT either: of a limited subquery the server counts nothing in parallel.
        var sql =
            run.Shard.IsWhole && most < long.MaxValue
                ? $"SELECT count(*), count(*) FROM (SELECT {all} LIMIT {parameters.Add(PgParameter.Bigint(most))}) AS taken"
                : $"SELECT count(*) FILTER (WHERE {run.Shard.Sql(run.Shape.KeyOf(run.Source.Map, "s").Id)}), count(*) {all}";
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(Patience(run)), cancellationToken);
        return (await connection.QueryAsync(sql, row => (row.GetInt64(0), row.GetInt64(1)), cancellationToken, parameters.ToArray()))[0];
    }

    /// <summary>Counts in one read-only pass over the session table.</summary>
    public static async Task<PolicyPlan> CountAsync(RunContext run, CancellationToken cancellationToken)
    {
        var parameters = new SqlParameters();
        var key = run.Shape.KeyOf(run.Source.Map, "s");
        var conditions = new EligibilityPredicate(run.Source, run.Shape, run.Policy, run.Cutoffs)
            .Conditions(parameters)
            .Concat(new LedgerConditions(run).Of(key, parameters));
        var reasons = string.Join(
            "\n",
            conditions.Select(c => $"WHEN NOT coalesce({c.Sql}, false) THEN {parameters.Add(PgParameter.Text(c.Reason))}")
        );
        var sql = $"""
            SELECT r.reason, count(*)
            FROM (SELECT CASE {reasons} END AS reason FROM {run.Source.Map.Session.Sql} AS s) AS r
            GROUP BY r.reason
            """;
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(Patience(run)), cancellationToken);
        var counts = await connection.QueryAsync(
            sql,
            row => (Reason: row.TextOrNull(0), Count: row.GetInt64(1)),
            cancellationToken,
            parameters.ToArray()
        );
        return new(
            counts.Sum(c => c.Count),
            counts.Where(c => c.Reason is null).Sum(c => c.Count),
            new SortedDictionary<string, long>(
                counts.Where(c => c.Reason is not null).ToDictionary(c => c.Reason!, c => c.Count),
                StringComparer.Ordinal
            )
        );
    }

    // A count reads as much as many batches do.
    public static TimeSpan Patience(RunContext run) => run.Batch.StatementTimeout * 10;
}

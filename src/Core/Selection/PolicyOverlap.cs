using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;

namespace Archiver.Core.Selection;

/// <summary>
/// Policies of one source that take the same sessions. The one that runs first gets them: a session that a user deleted is then archived
/// instead of purged, say. Counted in the rows as they are, because no reading of two <c>Where</c> conditions could tell.
/// </summary>
internal static class PolicyOverlap
{
    /// <summary>The other policies that take some of this one's sessions now, with their number.</summary>
    public static async Task<IReadOnlyDictionary<string, long>> CountAsync(RunContext run, CancellationToken cancellationToken)
    {
        var overlaps = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var others = run.Source.Policies.Where(p => p.Name != run.Policy.Name && TakesSessions(p) && TakesSessions(run.Policy)).ToList();
        if (others.Count == 0)
            return overlaps;
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(PolicyPlan.Patience(run)), cancellationToken);
        foreach (var other in others)
        {
            var parameters = new SqlParameters();
            var sql = $"""
                SELECT count(*) {new SelectionStatements(run).Eligible(parameters)}
                  AND {new EligibilityPredicate(run.Source, run.Shape, other, run.Cutoffs).Sql(parameters)}
                """;
            if (await connection.ScalarAsync<long>(sql, cancellationToken, parameters.ToArray()) is > 0 and var sessions)
                overlaps[other.FullName] = sessions;
        }
        return overlaps;
    }

    private static bool TakesSessions(Policy policy) => policy.Scope == PurgeScope.Sessions;
}

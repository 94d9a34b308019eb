using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;

namespace Archiver.Core.Selection;

/// <summary>How much the sessions are that a policy takes now.</summary>
/// <param name="Rows">Rows that are archived, purged or updated: of all their tables, or those that the policy takes.</param>
/// <param name="Bytes">About the bytes of their values as text.</param>
/// <param name="Oldest">The longest unused one's first activity column, as PostgreSQL's text in UTC; null when there is none.</param>
internal sealed record PlanSize(long Rows, long Bytes, string? Oldest)
{
    /// <summary>Sums over every eligible session: one read-only pass a table, so as slow as the backlog is long.</summary>
    public static async Task<PlanSize> ReadAsync(RunContext run, CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(PolicyPlan.Patience(run)), cancellationToken);
        var statements = new SelectionStatements(run);
        var parameters = new SqlParameters();
        var sessions = (
            await connection.QueryAsync(
                statements.Total(parameters),
                row => (Rows: row.GetInt64(0), Bytes: row.GetInt64(1), Oldest: row.TextOrNull(2)),
                cancellationToken,
                parameters.ToArray()
            )
        )[0];
        var (rows, bytes) = statements.WholeSessions ? (sessions.Rows, sessions.Bytes) : (0, 0);
        // An expiry touches the session rows only.
        foreach (var child in run.Source.Map.Children.Where(_ => run.Policy.Action != PolicyAction.Expire))
        {
            parameters = new SqlParameters();
            var size = (
                await connection.QueryAsync(
                    statements.Total(child, parameters),
                    row => (Rows: row.GetInt64(0), Bytes: row.GetInt64(1)),
                    cancellationToken,
                    parameters.ToArray()
                )
            )[0];
            (rows, bytes) = (rows + size.Rows, bytes + size.Bytes);
        }
        return new(rows, bytes, sessions.Oldest);
    }
}

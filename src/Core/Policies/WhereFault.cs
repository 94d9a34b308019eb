using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Policies;

/// <summary>
/// A condition that fails on one row fails for the whole table: the server has no way to leave that row out. So the row is looked for, and
/// named with the condition, instead of a bare error of which nobody knows where it comes from.
/// </summary>
internal static class WhereFault
{
    private const int Page = 1000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The refusal that names condition and row; null when the error is not the condition's.</summary>
    public static async Task<ArchiverException?> ExplainAsync(SourceConnections connections, Policy policy, PostgresException error)
    {
        if (policy.Where is null || PgErrors.IsTransient(error) || error.IsStatementTimeout() || error.IsLockTimeout())
            return null;
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return await FindAsync(connections, policy, error.SqlState, patience.Token) is { } key
                ? new(
                    FailureKind.Failed,
                    $"Where of policy '{policy.FullName}' fails for session '{key}' with {error.SqlState} "
                        + $"({PgErrors.Condition(error.SqlState)}), and no session can be taken while it does. Mend that row, or guard the "
                        + "condition, such as CASE WHEN s.n <> 0 THEN s.total / s.n > 5 END.",
                    error
                )
                : null;
        }
        catch (Exception other) when (other is NpgsqlException or OperationCanceledException or TimeoutException)
        {
            return null;
        }
    }

    private static async Task<string?> FindAsync(
        SourceConnections connections,
        Policy policy,
        string sqlState,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await connections.OpenAsync(cancellationToken);
        var shape = await TableDescriber.DescribeAsync(connection, connections.Map, cancellationToken);
        var (table, form) = (connections.Map.Session, KeyForm.Of(connections.Map, shape));
        var key = form.Of("s");
        string? after = null;
        while (true)
        {
            var sql =
                $"SELECT {key}::text FROM {table.Sql} AS s "
                + $"{(after is null ? "" : $"WHERE {key.Row} > {form.Parse($"$1::{form.Type}").Row} ")}ORDER BY {key.List} LIMIT {Page}";
            var keys = await connection.QueryAsync(
                sql,
                row => row.GetString(0),
                cancellationToken,
                after is null ? [] : [PgParameter.Text(after)]
            );
            if (keys.Count == 0)
                return null;
            if (await FailsAsync(keys))
                return await HalveAsync(keys);
            after = keys[^1];
        }

        async Task<string> HalveAsync(List<string> some)
        {
            while (some.Count > 1)
            {
                var half = some[..(some.Count / 2)];
                some = await FailsAsync(half) ? half : some[half.Count..];
            }
            return some[0];
        }

        // Of these rows alone: a condition in the same query as the keys might be asked of others first.
        async Task<bool> FailsAsync(List<string> some)
        {
            var sql =
                $"WITH s AS MATERIALIZED (SELECT s.* FROM {table.Sql} AS s WHERE {KeyMatch.Among(form, "$1").Sql(key)}) SELECT "
                + $"count(*) FROM s WHERE (\n{policy.Where}\n)";
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await connection.ExecuteAsync(TransactionSettings.ReadOnly(Patience), cancellationToken);
            try
            {
                await connection.ScalarAsync<long>(sql, cancellationToken, PgParameter.Texts(some));
                return false;
            }
            catch (PostgresException exception) when (exception.SqlState == sqlState)
            {
                return true;
            }
        }
    }
}

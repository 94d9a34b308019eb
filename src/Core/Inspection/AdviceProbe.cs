using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>
/// Looks at the rows before a statement is advised: one that must fail on them helps nobody. Without an answer in time, null.
/// </summary>
internal sealed class AdviceProbe(NpgsqlConnection connection, NpgsqlTransaction transaction)
{
    private const string Savepoint = "advice";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private const string PartitionedBy = """
        SELECT p.partattrs::int2[] <@ ARRAY(SELECT a.attnum FROM pg_attribute AS a WHERE a.attrelid = p.partrelid AND a.attname = ANY ($2))
        FROM pg_partitioned_table AS p
        WHERE p.partrelid = $1
        """;

    /// <summary>Whether the same values stand in several rows.</summary>
    public Task<bool?> HasDuplicatesAsync(TableName table, KeyColumns columns, CancellationToken cancellationToken)
    {
        var values = columns.Select(c => SessionPath.Column("t", c)).ToList();
        return AskAsync(
            $"SELECT EXISTS (SELECT FROM {table.Sql} AS t WHERE {string.Join(" AND ", values.Select(v => $"{v} IS NOT NULL"))} "
                + $"GROUP BY {string.Join(", ", values)} HAVING count(*) > 1)",
            cancellationToken
        );
    }

    /// <summary>Whether a row has no value.</summary>
    public Task<bool?> HasNullsAsync(TableName table, KeyColumns columns, CancellationToken cancellationToken) =>
        AskAsync(
            $"SELECT EXISTS (SELECT FROM {table.Sql} AS t WHERE "
                + $"{string.Join(" OR ", columns.Select(c => $"{SessionPath.Column("t", c)} IS NULL"))})",
            cancellationToken
        );

    /// <summary>Whether a partitioned table is partitioned by none but these columns: else it cannot have a unique index on them.</summary>
    public async Task<bool> IsPartitionedByAsync(TableShape table, KeyColumns columns, CancellationToken cancellationToken) =>
        await connection.ScalarAsync<bool>(PartitionedBy, cancellationToken, PgParameter.Oid(table.Oid), PgParameter.Texts(columns));

    /// <summary>Name of the form in which a column's values may be times, by one of them; null where none says so.</summary>
    public Task<string?> TimeFormAsync(TableName table, ColumnShape column, CancellationToken cancellationToken)
    {
        var value = SessionPath.Column("t", column.Name);
        return column.Kind == ColumnKind.Number
            ? AskTextAsync(
                $"SELECT CASE WHEN {value} > 1e14 THEN 'epoch-us' WHEN {value} > 1e11 THEN 'epoch-ms' ELSE 'epoch-s' END FROM "
                    + $"{table.Sql} AS t WHERE {value} > 0 LIMIT 1",
                cancellationToken
            )
            : AskTextAsync(
                $"""
                SELECT CASE WHEN {TextTime.Instant($"{value}::text", "'UTC'")} IS NOT NULL
                  THEN 'text' WHEN {UuidTime.Instant(TimeForm.Uuid, value)} IS NOT NULL THEN 'uuid' END
                FROM {table.Sql} AS t WHERE {value}::text <> '' LIMIT 1
                """,
                cancellationToken
            );
    }

    private async Task<bool?> AskAsync(string sql, CancellationToken cancellationToken) =>
        await AskTextAsync($"SELECT ({sql})::text", cancellationToken) is { } answer ? answer == "true" : null;

    private async Task<string?> AskTextAsync(string sql, CancellationToken cancellationToken)
    {
        await transaction.SaveAsync(Savepoint, cancellationToken);
        try
        {
            await connection.ExecuteAsync(TransactionSettings.Timeout("statement_timeout", Patience), cancellationToken);
            return await connection.ScalarAsync<string?>(sql, cancellationToken);
        }
        catch (PostgresException exception) when (!PgErrors.IsTransient(exception) && !cancellationToken.IsCancellationRequested)
        {
            // Too large for the time, locked, or not to be read by this role.
            return null;
        }
        finally
        {
            if (connection.State == System.Data.ConnectionState.Open)
                await transaction.RollbackAsync(Savepoint, CancellationToken.None);
        }
    }
}

using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Status;

/// <summary>Sizes and row counts of the mapped tables, from the server's statistics; only soft-deleted rows are counted.</summary>
internal static class TableReader
{
    private const string Statistics = """
        WITH RECURSIVE parts (oid) AS (
          SELECT to_regclass($1)::oid
          UNION ALL
          SELECT i.inhrelid FROM parts AS p JOIN pg_inherits AS i ON i.inhparent = p.oid
        )
        SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint,
               coalesce(sum(CASE WHEN s.n_live_tup > 0 THEN s.n_live_tup
                 ELSE greatest(c.reltuples, 0) END) FILTER (WHERE c.relkind = 'r'), 0)::bigint,
               coalesce(sum(s.n_dead_tup), 0)::bigint,
               max(greatest(s.last_vacuum, s.last_autovacuum))
        FROM parts AS p
        JOIN pg_class AS c ON c.oid = p.oid
        LEFT JOIN pg_stat_all_tables AS s ON s.relid = p.oid
        """;

    public static async Task<IReadOnlyList<TableStatus>> ReadAsync(
        NpgsqlConnection connection,
        SourceMap map,
        ArchiverSettings settings,
        CancellationToken cancellationToken
    )
    {
        List<TableStatus> tables = !map.Session.HasRow
            ? []
            :
            [
                await ReadAsync(
                    connection,
                    SourceMap.SessionName,
                    map.Session.Table,
                    map.Session.Deleted,
                    settings.Growth.SessionsTable,
                    settings.Batch,
                    cancellationToken
                ),
            ];
        foreach (var child in map.Children)
        {
            long? threshold = child.Name == SourceMap.MessagesName ? settings.Growth.MessagesTable : null;
            tables.Add(await ReadAsync(connection, child.Name, child.Table, child.Deleted, threshold, settings.Batch, cancellationToken));
        }
        return tables;
    }

    private static async Task<TableStatus> ReadAsync(
        NpgsqlConnection connection,
        string name,
        TableName table,
        TimeColumn? deleted,
        long? threshold,
        BatchSettings bounds,
        CancellationToken cancellationToken
    )
    {
        var (bytes, rows, dead, vacuum) = await StatisticsAsync(connection, table, bounds, cancellationToken);
        return new()
        {
            Name = name,
            Table = table.ToString(),
            Bytes = bytes,
            Rows = rows,
            DeadRows = dead,
            LastVacuum = vacuum,
            SoftDeleted = deleted is null ? null : await CountDeletedAsync(connection, table, deleted, bounds, cancellationToken),
            Threshold = threshold,
        };
    }

    private static async Task<(long Bytes, long Rows, long Dead, DateTimeOffset? Vacuum)> StatisticsAsync(
        NpgsqlConnection connection,
        TableName table,
        BatchSettings bounds,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await BeginAsync(connection, bounds, cancellationToken);
        return (
            await connection.QueryAsync(
                Statistics,
                row =>
                    (
                        row.GetInt64(0),
                        row.GetInt64(1),
                        row.GetInt64(2),
                        row.IsDBNull(3) ? (DateTimeOffset?)null : row.GetFieldValue<DateTimeOffset>(3)
                    ),
                cancellationToken,
                PgParameter.Text(table.Sql)
            )
        )[0];
    }

    private static async Task<long?> CountDeletedAsync(
        NpgsqlConnection connection,
        TableName table,
        TimeColumn deleted,
        BatchSettings bounds,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await BeginAsync(connection, bounds, cancellationToken);
        try
        {
            return await connection.ScalarAsync<long>(
                $"SELECT count(*) FROM {table.Sql} AS t WHERE {TimeSql.IsSet(deleted, "t")}",
                cancellationToken
            );
        }
        catch (PostgresException exception)
            when (exception.SqlState == PostgresErrorCodes.QueryCanceled && !cancellationToken.IsCancellationRequested)
        {
            // A table too large to be counted: null says "not known", and the rest of the status is worth more than this.
            return null;
        }
    }

    // Sizes wait for a lock that VACUUM FULL holds, and a status must not queue up behind that.
    private static async Task<NpgsqlTransaction> BeginAsync(
        NpgsqlConnection connection,
        BatchSettings bounds,
        CancellationToken cancellationToken
    )
    {
        var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(
            $"{TransactionSettings.ReadOnly(bounds.StatementTimeout)} {TransactionSettings.Timeout("lock_timeout", bounds.LockTimeout)}",
            cancellationToken
        );
        return transaction;
    }
}

using System.Globalization;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>
/// Who keeps a table of the source, or of the ledger, from whoever reads or writes it: so that a person need not search for what a
/// statement waited for.
/// </summary>
internal static class LockHolders
{
    // Nothing less keeps a reader or a writer waiting. A prepared transaction has no process.
    private const string Holders = """
        SELECT n.nspname || '.' || c.relname, l.pid, coalesce(a.application_name, ''), coalesce(a.usename::text, ''), coalesce(extract(epoch
          FROM clock_timestamp() - a.xact_start), 0)::bigint
        FROM pg_catalog.pg_locks AS l
        JOIN pg_catalog.pg_class AS c ON c.oid = l.relation AND c.relkind IN ('r', 'p')
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
        WHERE l.granted AND l.locktype = 'relation'
          AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') AND l.pid IS DISTINCT
            FROM pg_catalog.pg_backend_pid()
          AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database())
          AND (n.nspname = 'archiver' OR coalesce(pg_catalog.pg_partition_root(c.oid)::oid, c.oid) = ANY ($1))
        ORDER BY 1
        """;

    private const string Oids =
        "SELECT c.oid::bigint FROM unnest($1, $2) AS m (schema, name) JOIN pg_catalog.pg_namespace AS n ON "
        + "n.nspname = m.schema JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = m.name";

    /// <summary>A sentence for each lock; none when whoever had it is gone.</summary>
    public static async Task<IReadOnlyList<string>> FindAsync(
        NpgsqlConnection connection,
        SourceMap map,
        CancellationToken cancellationToken
    )
    {
        List<TableName> tables = [map.Session.Table, .. map.Children.Select(c => c.Table)];
        var oids = await connection.QueryAsync(
            Oids,
            row => (uint)row.GetInt64(0),
            cancellationToken,
            PgParameter.Texts(tables.Select(t => t.Schema)),
            PgParameter.Texts(tables.Select(t => t.Name))
        );
        return await connection.QueryAsync(
            Holders,
            row =>
                row.IsDBNull(1)
                    ? $"Table {row.GetString(0)} is locked by a prepared transaction: end it with COMMIT PREPARED or ROLLBACK PREPARED; "
                        + "pg_prepared_xacts names it."
                    : string.Create(
                        CultureInfo.InvariantCulture,
                        $"Table {row.GetString(0)} is locked by process {row.GetInt32(1)} (application '{row.GetString(2)}', user "
                            + $"'{row.GetString(3)}', for {row.GetInt64(4)} s): wait until it is done, or end it with SELECT "
                            + $"pg_terminate_backend({row.GetInt32(1)});"
                    ),
            cancellationToken,
            PgParameter.Oids(oids)
        );
    }
}

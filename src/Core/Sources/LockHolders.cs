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
    // Nothing less keeps a reader or a writer waiting; whoever changes a table waits for all. A prepared transaction has no process.
    private const string Holders = """
        SELECT DISTINCT n.nspname || '.' || c.relname, l.pid, coalesce(a.application_name, ''), coalesce(a.usename::text, ''), coalesce(
          extract(epoch FROM clock_timestamp() - a.xact_start), 0)::bigint
        FROM pg_catalog.pg_locks AS l
        JOIN pg_catalog.pg_class AS c ON c.oid = l.relation AND c.relkind IN ('r', 'p')
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
        WHERE l.granted AND l.locktype = 'relation'
          AND ($2 OR l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))
          AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
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
        return
        [
            .. (await ReadAsync(connection, oids, ofAnyMode: false, cancellationToken)).Select(h => Sentence(h, $"Table {h.Table} is")),
        ];
    }

    /// <summary>The same of whoever has a lock on a table of the ledger, be it only to read: a sentence for each process.</summary>
    public static async Task<IReadOnlyList<string>> OfLedgerAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var holders = await ReadAsync(connection, [], ofAnyMode: true, cancellationToken);
        return
        [
            .. holders
                .GroupBy(h => h.Process)
                .Select(g =>
                    Sentence(
                        g.First(),
                        g.Count() == 1 ? $"Table {g.First().Table} is" : $"Tables {string.Join(", ", g.Select(h => h.Table))} are"
                    )
                ),
        ];
    }

    private static async Task<IReadOnlyList<Holder>> ReadAsync(
        NpgsqlConnection connection,
        IEnumerable<uint> tables,
        bool ofAnyMode,
        CancellationToken cancellationToken
    ) =>
        await connection.QueryAsync(
            Holders,
            row => new Holder(
                row.GetString(0),
                row.IsDBNull(1) ? null : row.GetInt32(1),
                row.GetString(2),
                row.GetString(3),
                row.GetInt64(4)
            ),
            cancellationToken,
            PgParameter.Oids(tables),
            PgParameter.Bool(ofAnyMode)
        );

    private static string Sentence(Holder holder, string tables) =>
        holder.Process is not { } process
            ? $"{tables} locked by a prepared transaction: end it with COMMIT PREPARED or ROLLBACK PREPARED; pg_prepared_xacts "
                + "names it."
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{tables} locked by process {process} (application '{holder.Application}', user '{holder.User}', for "
                    + $"{holder.Seconds} s): wait until it is done, or end it with SELECT pg_terminate_backend({process});"
            );

    private sealed record Holder(string Table, int? Process, string Application, string User, long Seconds);
}

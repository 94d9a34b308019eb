using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// Counts every row that this transaction deleted or updated in any table, and the tables that it emptied (docs/protocol.md rule 12). If
/// the server deleted more rows than our statements returned, or updated any, then a cascade, a trigger or a rule changed something that
/// was not archived, or another session. The same holds for the archiver's own updates of session rows, and for a restore's inserts. Needs
/// track_counts.
/// </summary>
internal sealed class SideEffectGuard
{
    // Counters of a backend may hold numbers of earlier transactions that are not reported yet, hence a difference. TOAST rows do not
    // count, those of large objects do. Rows that go with TRUNCATE, DROP or DETACH are in no counter: such a table is locked, and its entry
    // changed or gone. Of those gone, one that this transaction made itself has no statistics.
    private static readonly string Counters = $"""
        SELECT coalesce(sum(pg_stat_get_xact_tuples_deleted(c.oid)), 0)::bigint,
               coalesce(sum(pg_stat_get_xact_tuples_updated(c.oid)) FILTER (
                 WHERE c.oid <> $1 AND NOT EXISTS (SELECT FROM pg_partition_ancestors(c.oid) AS p WHERE p.relid = $1)), 0)::bigint,
               coalesce(sum(pg_stat_get_xact_tuples_updated(c.oid)), 0)::bigint,
               (SELECT count(*) FROM pg_locks AS l LEFT JOIN pg_class AS t ON t.oid = l.relation
                WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
                  AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
                  AND CASE WHEN t.oid IS NULL THEN pg_stat_get_tuples_inserted(l.relation) > 0 ELSE t.relkind IN ('r', 'p')
                    AND t.relpersistence <> 't' AND {OwnRows.Are("t")} END)
        FROM pg_class AS c
        WHERE c.relkind = 'r'
          AND (c.relnamespace <> 'pg_catalog'::regnamespace OR c.relname IN ('pg_largeobject', 'pg_largeobject_metadata'))
        """;

    private readonly SourceMap _map;
    private readonly SourceShape _shape;
    private readonly (long Deleted, long UpdatedElsewhere, long Updated, long Emptied) _before;

    private SideEffectGuard(SourceMap map, SourceShape shape, (long Deleted, long UpdatedElsewhere, long Updated, long Emptied) before)
    {
        _map = map;
        _shape = shape;
        _before = before;
    }

    /// <summary>Notes the counters before the first change.</summary>
    public static async Task<SideEffectGuard> BeginAsync(
        NpgsqlConnection connection,
        SourceMap map,
        SourceShape shape,
        CancellationToken cancellationToken
    ) => new(map, shape, await ReadAsync(connection, shape.Session.Oid, cancellationToken));

    /// <summary>Whether the server changed exactly the rows that our statement deleted.</summary>
    /// <param name="connection">In the transaction.</param>
    /// <param name="rowsReturned">How many these are.</param>
    /// <param name="staying">
    /// Sessions whose own rows a trigger may update, because they stay while some of their messages go; null where the sessions go.
    /// </param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<bool> HoldsAsync(
        NpgsqlConnection connection,
        long rowsReturned,
        IEnumerable<string>? staying,
        CancellationToken cancellationToken
    )
    {
        var now = await ReadAsync(connection, _shape.Session.Oid, cancellationToken);
        if (
            now.Deleted - _before.Deleted != rowsReturned
            || now.UpdatedElsewhere != _before.UpdatedElsewhere
            || now.Emptied != _before.Emptied
        )
            return false;
        return now.Updated == _before.Updated
            || (staying is not null && !await connection.ScalarAsync<bool>(OthersUpdated, cancellationToken, PgParameter.Texts(staying)));
    }

    /// <summary>
    /// Whether the server updated exactly the session rows that our statement returned, each once, and deleted none anywhere.
    /// </summary>
    public async Task<bool> HoldsForUpdateAsync(NpgsqlConnection connection, long sessionsReturned, CancellationToken cancellationToken)
    {
        var now = await ReadAsync(connection, _shape.Session.Oid, cancellationToken);
        return now == (_before.Deleted, _before.UpdatedElsewhere, _before.Updated + sessionsReturned, _before.Emptied);
    }

    /// <summary>
    /// Whether the server deleted no row and emptied no table while rows were inserted. What triggers update then, such as counters, is the
    /// application's own matter.
    /// </summary>
    public async Task<bool> HoldsForInsertAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var now = await ReadAsync(connection, _shape.Session.Oid, cancellationToken);
        return (now.Deleted, now.Emptied) == (_before.Deleted, _before.Emptied);
    }

    // Counters know no rows. It reads the session table, but only where a trigger has written there.
    private string OthersUpdated =>
        $"""
            SELECT EXISTS (
              SELECT FROM {_map.Session.Table.Sql} AS t
              WHERE {OwnRows.Are("t")} AND NOT {_shape.KeyOf(_map, "t")} = ANY ($1::{_shape.KeyType(_map)}[]))
            """;

    private static async Task<(long Deleted, long UpdatedElsewhere, long Updated, long Emptied)> ReadAsync(
        NpgsqlConnection connection,
        uint session,
        CancellationToken cancellationToken
    ) =>
        (
            await connection.QueryAsync(
                Counters,
                row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)),
                cancellationToken,
                PgParameter.Oid(session)
            )
        )[0];
}

using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// Counts every row that this transaction deleted or updated in any table (PROTOCOL.md rule 12). If the server deleted more rows than our
/// statements returned, or updated one outside the session table, then a cascade, a trigger or a rule changed something that was not
/// archived. The same holds for the archiver's own updates of session rows. Needs track_counts.
/// </summary>
internal sealed class SideEffectGuard
{
    // Counters of a backend may hold numbers of earlier transactions that are not reported yet, hence a difference. TOAST rows do not count.
    private const string Counters = """
        SELECT coalesce(sum(pg_stat_get_xact_tuples_deleted(c.oid)), 0)::bigint,
               coalesce(sum(pg_stat_get_xact_tuples_updated(c.oid)) FILTER (
                 WHERE c.oid <> $1 AND NOT EXISTS (SELECT FROM pg_partition_ancestors(c.oid) AS p WHERE p.relid = $1)), 0)::bigint,
               coalesce(sum(pg_stat_get_xact_tuples_updated(c.oid)), 0)::bigint
        FROM pg_class AS c
        WHERE c.relkind = 'r' AND c.relnamespace <> 'pg_catalog'::regnamespace
        """;

    private readonly uint _session;
    private readonly (long Deleted, long UpdatedElsewhere, long Updated) _before;

    private SideEffectGuard(uint session, (long Deleted, long UpdatedElsewhere, long Updated) before)
    {
        _session = session;
        _before = before;
    }

    /// <summary>Notes the counters before the first delete.</summary>
    public static async Task<SideEffectGuard> BeginAsync(NpgsqlConnection connection, SourceShape shape, CancellationToken cancellationToken) =>
        new(shape.Session.Oid, await ReadAsync(connection, shape.Session.Oid, cancellationToken).ConfigureAwait(false));

    /// <summary>Whether the server changed exactly the rows that our statements returned.</summary>
    public async Task<bool> HoldsAsync(NpgsqlConnection connection, long rowsReturned, CancellationToken cancellationToken)
    {
        var now = await ReadAsync(connection, _session, cancellationToken).ConfigureAwait(false);
        return now.Deleted - _before.Deleted == rowsReturned && now.UpdatedElsewhere == _before.UpdatedElsewhere;
    }

    /// <summary>Whether the server updated exactly the session rows that our statement returned, each once, and deleted none anywhere.</summary>
    public async Task<bool> HoldsForUpdateAsync(NpgsqlConnection connection, long sessionsReturned, CancellationToken cancellationToken)
    {
        var now = await ReadAsync(connection, _session, cancellationToken).ConfigureAwait(false);
        return now == (_before.Deleted, _before.UpdatedElsewhere, _before.Updated + sessionsReturned);
    }

    private static async Task<(long Deleted, long UpdatedElsewhere, long Updated)> ReadAsync(NpgsqlConnection connection, uint session, CancellationToken cancellationToken) =>
        (await connection.QueryAsync(Counters, row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)), cancellationToken, PgParameter.Oid(session)).ConfigureAwait(false))[0];
}

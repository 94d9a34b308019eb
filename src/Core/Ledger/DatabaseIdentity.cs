using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>Which database this is, as objects and documents say it, and which one its ledger belongs to.</summary>
/// <param name="LedgerId">Random id of the ledger; a copy of the database has the same.</param>
/// <param name="SystemId"><c>system_identifier</c> of the cluster.</param>
/// <param name="Database">Name of the database.</param>
/// <param name="ServerVersion">Such as <c>17.10</c>.</param>
internal sealed record DatabaseIdentity(string LedgerId, string SystemId, string Database, string ServerVersion)
{
    // pg_walfile_name refuses on a standby, which inspection names with better words.
    private const string Read = """
        SELECT l.id::text, c.system_identifier::text, d.datname::text, split_part(current_setting('server_version'), ' ', 1),
          clock_timestamp(), d.oid::bigint,
               CASE WHEN pg_is_in_recovery() THEN (SELECT k.timeline_id FROM pg_control_checkpoint() AS k)
                    ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END,
               o.system_id, o.database, o.database_oid, o.timeline,
               ARRAY(SELECT g.system_id FROM archiver.owners AS g WHERE g.is_origin ORDER BY g.id),
               ARRAY(SELECT g.database FROM archiver.owners AS g WHERE g.is_origin ORDER BY g.id),
               ARRAY(SELECT f.id::text FROM archiver.former_ledgers AS f)
        FROM archiver.ledger AS l
        CROSS JOIN pg_control_system() AS c
        JOIN pg_database AS d ON d.datname = current_database()
        LEFT JOIN LATERAL (SELECT w.* FROM archiver.owners AS w WHERE w.timeline IS NOT NULL ORDER BY w.id DESC LIMIT 1) AS o ON true
        """;

    /// <summary>Where this database is.</summary>
    public DatabasePlace? Place { get; private init; }

    /// <summary>
    /// Where the database is that the ledger belongs to; another place than <see cref="Place"/> says that this is a copy, or moved.
    /// </summary>
    public DatabasePlace? Owner { get; private init; }

    /// <summary>The ledger's id, and those that it had before it was lost and rebuilt.</summary>
    public IReadOnlyCollection<string> LedgerIds { get; private init; } = [LedgerId];

    /// <summary>Where objects of this ledger may say that they come from: the owner, and what it was before it moved.</summary>
    public IReadOnlyCollection<(string SystemId, string Database)> Origins { get; private init; } = [];

    /// <summary>Which database a connection leads to, and its clock.</summary>
    public static async Task<(DatabaseIdentity Database, DateTimeOffset Now)> ReadAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    ) => (await connection.QueryAsync(Read, Of, cancellationToken))[0];

    private static (DatabaseIdentity Database, DateTimeOffset Now) Of(NpgsqlDataReader row)
    {
        var database = new DatabaseIdentity(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3))
        {
            Place = new(row.GetString(1), row.GetString(2), row.GetInt64(5), row.GetInt64(6)),
            Owner = row.IsDBNull(7) ? null : new(row.GetString(7), row.GetString(8), row.GetInt64(9), row.GetInt64(10)),
            LedgerIds = [row.GetString(0), .. row.GetFieldValue<string[]>(13)],
            Origins = [.. row.GetFieldValue<string[]>(11).Zip(row.GetFieldValue<string[]>(12))],
        };
        return (database, row.GetFieldValue<DateTimeOffset>(4));
    }
}

/// <summary>What tells a database from its copies.</summary>
/// <param name="SystemId"><c>system_identifier</c> of the cluster: new after initdb, pg_upgrade included.</param>
/// <param name="Database">Its name.</param>
/// <param name="Oid">A copy in the same cluster has another.</param>
/// <param name="Timeline">A promoted standby, or a cluster restored to a point in time, has a higher one.</param>
internal sealed record DatabasePlace(string SystemId, string Database, long Oid, long Timeline);

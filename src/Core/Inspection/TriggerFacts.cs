using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>A trigger that matters to a delete: one of an application's that fires, or one of the server's own that does not.</summary>
/// <param name="IsInternal">The server's own, which makes a foreign key or a deferred unique constraint work; it is disabled.</param>
/// <param name="IsClone">Inherited by a partition.</param>
/// <param name="ManagesLargeObjects">It unlinks the large objects that a row names.</param>
/// <param name="Kind">When it fires: <c>BEFORE DELETE ROW</c>.</param>
internal sealed record TriggerFacts(uint Relation, string Name, bool IsInternal, bool IsClone, bool ManagesLargeObjects, string Kind)
    : ICatalogFact<TriggerFacts>
{
    // Up to PostgreSQL 14 a clone of an application's trigger is marked internal as well; the function tells them apart.
    public static string Sql =>
        """
            SELECT t.tgrelid::bigint, t.tgname::text, i.internal, t.tgparentid <> 0, p.proname = 'lo_manage' OR p.prosrc = 'lo_manage',
                   concat_ws(' ', CASE WHEN t.tgtype & 2 <> 0 THEN 'BEFORE' ELSE 'AFTER' END, 'DELETE', CASE WHEN t.tgtype & 1 <> 0
                     THEN 'ROW'
                     ELSE 'STATEMENT' END)
            FROM pg_trigger AS t
            JOIN pg_proc AS p ON p.oid = t.tgfoid
            CROSS JOIN LATERAL (SELECT t.tgisinternal AND p.pronamespace = 'pg_catalog'::regnamespace AS internal) AS i
            WHERE t.tgrelid = ANY ($1)
              AND CASE WHEN i.internal THEN t.tgenabled IN ('D', 'R') ELSE t.tgtype & 8 <> 0 AND t.tgenabled IN ('O', 'A') END
            ORDER BY t.tgname
            """;

    public static TriggerFacts Read(NpgsqlDataReader row) =>
        new((uint)row.GetInt64(0), row.GetString(1), row.GetBoolean(2), row.GetBoolean(3), row.GetBoolean(4), row.GetString(5));
}

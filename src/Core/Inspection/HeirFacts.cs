using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>
/// A table that inherits from another without being its partition: its rows show in the parent, without the parent's keys.
/// </summary>
internal sealed record HeirFacts(uint Parent, TableName Table) : ICatalogFact<HeirFacts>
{
    public static string Sql =>
        """
            SELECT i.inhparent::bigint, n.nspname::text, c.relname::text
            FROM pg_inherits AS i
            JOIN pg_class AS c ON c.oid = i.inhrelid AND NOT c.relispartition AND c.relkind IN ('r', 'p', 'f')
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            WHERE i.inhparent = ANY ($1)
            ORDER BY n.nspname, c.relname
            """;

    public static HeirFacts Read(NpgsqlDataReader row) => new((uint)row.GetInt64(0), new(row.GetString(1), row.GetString(2)));
}

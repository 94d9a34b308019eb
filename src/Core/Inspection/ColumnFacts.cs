using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>What <see cref="ColumnShape"/> does not say of a column because no document needs it.</summary>
/// <param name="Collation">As SQL; null where the type has none or the column has the database's default.</param>
/// <param name="Deterministic">Equal text has equal bytes.</param>
/// <param name="Updatable">The role may update it.</param>
internal sealed record ColumnFacts(uint Relation, string Name, bool NotNull, string? Collation, bool Deterministic, bool Updatable)
    : ICatalogFact<ColumnFacts>
{
    public static string Sql =>
        """
            SELECT a.attrelid::bigint, a.attname::text, a.attnotnull, n.nspname::text, l.collname::text,
              coalesce(l.collisdeterministic, true),
                   has_column_privilege(a.attrelid, a.attnum, 'UPDATE')
            FROM pg_attribute AS a
            LEFT JOIN pg_collation AS l ON l.oid = a.attcollation AND l.collprovider <> 'd'
            LEFT JOIN pg_namespace AS n ON n.oid = l.collnamespace
            WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
            """;

    public static ColumnFacts Read(NpgsqlDataReader row) =>
        new(
            (uint)row.GetInt64(0),
            row.GetString(1),
            row.GetBoolean(2),
            row.IsDBNull(3) ? null : new TableName(row.GetString(3), row.GetString(4)).Sql,
            row.GetBoolean(5),
            row.GetBoolean(6)
        );
}

using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>A mapped table, a partition of one at any depth, or a partitioned table that a mapped one is a partition of.</summary>
internal sealed record RelationFacts : ICatalogFact<RelationFacts>
{
    // FOR UPDATE wants UPDATE on any one column; LOCK TABLE in both our modes is content with SELECT and DELETE.
    public static string Sql =>
        """
            WITH RECURSIVE down AS (
              SELECT m.oid AS mapped, m.oid, 0 AS depth
              FROM unnest($1) AS m (oid)
              UNION ALL
              SELECT d.mapped, i.inhrelid, d.depth + 1
              FROM down AS d
              JOIN pg_inherits AS i ON i.inhparent = d.oid
              JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relispartition
            ), up AS (
              SELECT m.oid AS mapped, m.oid, 0 AS depth
              FROM unnest($1) AS m (oid)
              UNION ALL
              SELECT u.mapped, i.inhparent, u.depth - 1
              FROM up AS u
              JOIN pg_class AS c ON c.oid = u.oid AND c.relispartition
              JOIN pg_inherits AS i ON i.inhrelid = u.oid
            )
            SELECT r.mapped::bigint, r.oid::bigint, r.depth, n.nspname::text, c.relname::text, c.relkind::text, c.relpersistence::text,
              am.amname::text,
                   row_security_active(c.oid),
                   has_schema_privilege(n.oid, 'USAGE'),
                   has_table_privilege(c.oid, 'SELECT'),
                   has_table_privilege(c.oid, 'DELETE'),
                   has_any_column_privilege(c.oid, 'UPDATE'),
                   pn.nspname::text, pc.relname::text,
                   EXISTS (SELECT FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid
                     WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND strpos(p.prosrc, '.*') > 0)
            FROM (SELECT * FROM down UNION SELECT * FROM up) AS r
            JOIN pg_class AS c ON c.oid = r.oid
            JOIN pg_namespace AS n ON n.oid = c.relnamespace
            LEFT JOIN pg_am AS am ON am.oid = c.relam
            LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid AND c.relispartition
            LEFT JOIN pg_class AS pc ON pc.oid = i.inhparent
            LEFT JOIN pg_namespace AS pn ON pn.oid = pc.relnamespace
            ORDER BY r.mapped, r.depth, n.nspname, c.relname
            """;

    /// <summary>The mapped table that it belongs to.</summary>
    public required uint Mapped { get; init; }

    public required uint Oid { get; init; }

    /// <summary>0 for the mapped table itself, above for its partitions, below for what it is a partition of.</summary>
    public required int Depth { get; init; }

    public required TableName Table { get; init; }

    /// <summary>As <c>pg_class.relkind</c>: r table, p partitioned, f foreign, v view, m materialized view.</summary>
    public required char Kind { get; init; }

    public required bool Unlogged { get; init; }

    /// <summary>Null where the kind has none.</summary>
    public required string? AccessMethod { get; init; }

    /// <summary>Row level security would keep rows from this role.</summary>
    public required bool HidesRows { get; init; }

    public required bool SchemaUsage { get; init; }

    public required bool CanSelect { get; init; }

    public required bool CanDelete { get; init; }

    /// <summary>UPDATE on some column at least.</summary>
    public required bool CanLock { get; init; }

    /// <summary>What it is a partition of.</summary>
    public required TableName? PartitionOf { get; init; }

    /// <summary>A trigger copies its rows as a whole (<c>OLD.*</c>), into a table that has as many columns.</summary>
    public required bool CopiesRows { get; init; }

    /// <summary>Holds rows itself.</summary>
    public bool IsTable => Kind == 'r';

    public static RelationFacts Read(NpgsqlDataReader row) =>
        new()
        {
            Mapped = (uint)row.GetInt64(0),
            Oid = (uint)row.GetInt64(1),
            Depth = row.GetInt32(2),
            Table = new(row.GetString(3), row.GetString(4)),
            Kind = row.GetString(5)[0],
            Unlogged = row.GetString(6) == "u",
            AccessMethod = row.TextOrNull(7),
            HidesRows = row.GetBoolean(8),
            SchemaUsage = row.GetBoolean(9),
            CanSelect = row.GetBoolean(10),
            CanDelete = row.GetBoolean(11),
            CanLock = row.GetBoolean(12),
            PartitionOf = row.IsDBNull(13) ? null : new(row.GetString(13), row.GetString(14)),
            CopiesRows = row.GetBoolean(15),
        };
}

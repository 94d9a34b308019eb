using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>Reads the mapped tables from the system catalogs.</summary>
internal static class TableDescriber
{
    // Domains are followed to their base type: its output function is the one that COPY calls.
    private const string Columns = """
        WITH RECURSIVE base AS (
          SELECT a.attrelid, a.attnum, a.atttypid AS typid
          FROM pg_catalog.pg_attribute AS a
          WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
          UNION ALL
          SELECT b.attrelid, b.attnum, t.typbasetype
          FROM base AS b
          JOIN pg_catalog.pg_type AS t ON t.oid = b.typid
          WHERE t.typtype = 'd'
        )
        SELECT a.attrelid::bigint, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), pg_catalog.format_type(b.typid, NULL),
          a.attgenerated <> '',
          (SELECT quote_ident(n.nspname) || '.' || quote_ident(l.collname) FROM pg_catalog.pg_collation AS l
            JOIN pg_catalog.pg_namespace AS n ON n.oid = l.collnamespace
           WHERE l.oid = a.attcollation AND NOT l.collisdeterministic)
        FROM base AS b
        JOIN pg_catalog.pg_type AS t ON t.oid = b.typid AND t.typtype <> 'd'
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = b.attrelid AND a.attnum = b.attnum
        ORDER BY a.attrelid, a.attnum
        """;

    private const string MappedTables = """
        FROM unnest($1, $2, $3) AS n (name, schema, relation)
        JOIN pg_catalog.pg_namespace AS s ON s.nspname = n.schema
        JOIN pg_catalog.pg_class AS c ON c.relnamespace = s.oid AND c.relname = n.relation AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
        """;

    // sha256, not md5: md5() fails on servers in FIPS mode.
    private const string Hash = """
        encode(sha256(convert_to(concat_ws(E'\n',
          concat_ws('|', c.relkind, c.relam, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity),
          (SELECT string_agg(concat_ws('|', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attgenerated, a.attidentity,
            a.attcollation), ',' ORDER BY a.attnum)
           FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
          (SELECT string_agg(concat_ws('|', k.oid, k.contype, k.conrelid, k.confrelid, k.confdeltype, k.confupdtype, k.conkey, k.confkey,
            k.condeferrable, k.condeferred), ',' ORDER BY k.oid)
           FROM pg_constraint AS k WHERE k.contype IN ('p', 'u', 'f') AND (k.conrelid = c.oid OR k.confrelid = c.oid)),
          (SELECT string_agg(concat_ws('|', g.oid, g.tgname, g.tgenabled, g.tgtype, g.tgfoid), ',' ORDER BY g.oid) FROM pg_trigger AS g
            WHERE g.tgrelid = c.oid),
          (SELECT string_agg(concat_ws('|', r.oid, r.ev_type, r.ev_enabled, r.is_instead), ',' ORDER BY r.oid) FROM pg_rewrite AS r
            WHERE r.ev_class = c.oid),
          (SELECT string_agg(concat_ws('|', p.oid, p.polcmd, p.polpermissive, p.polroles), ',' ORDER BY p.oid) FROM pg_policy AS p
            WHERE p.polrelid = c.oid),
          (SELECT string_agg(concat_ws('|', i.inhrelid, i.inhparent), ',' ORDER BY i.inhrelid) FROM pg_inherits AS i
            WHERE i.inhparent = c.oid OR i.inhrelid = c.oid)
        ), 'UTF8')), 'hex')
        """;

    /// <summary>
    /// Every mapped table with its columns and hash, in the order of the map. Tables that do not exist are left out: inspection names them.
    /// </summary>
    public static async Task<SourceShape> DescribeAsync(NpgsqlConnection connection, SourceMap map, CancellationToken cancellationToken)
    {
        var names = Mapped(map);
        // Before the columns: where somebody changes a table in between, a hash that is too old shows it later.
        var found = await FindAsync(connection, names, cancellationToken);
        var columns = await connection.QueryAsync(
            Columns,
            row =>
                (
                    Oid: (uint)row.GetInt64(0),
                    Column: new ColumnShape(
                        row.GetString(1),
                        row.GetString(2),
                        row.GetString(3),
                        KindOf(row.GetString(3)),
                        row.GetBoolean(4)
                    )
                    {
                        Nondeterministic = row.TextOrNull(5),
                    }
                ),
            cancellationToken,
            PgParameter.Oids(found.Values.Select(t => t.Oid))
        );
        var byTable = columns.ToLookup(c => c.Oid, c => c.Column);
        return new([
            .. names
                .Where(n => found.ContainsKey(n.Name))
                .Select(n =>
                    n.Name == SourceMap.SessionName && !map.Session.HasRow
                        ? new TableShape(
                            n.Name,
                            n.Table,
                            TableShape.None,
                            "",
                            [.. byTable[found[n.Name].Oid].Where(c => map.Session.Key.Contains(c.Name))]
                        )
                        : new TableShape(n.Name, n.Table, found[n.Name].Oid, found[n.Name].Hash, [.. byTable[found[n.Name].Oid]])
                ),
        ]);
    }

    /// <summary>
    /// Whether the names of these tables still lead to them, and they are as they were described. Statements go by the names: a table that
    /// took the name of another in the middle of a run is not the one that was described, even where that one is as it was.
    /// </summary>
    public static async Task<bool> AreAsDescribedAsync(NpgsqlConnection connection, SourceShape shape, CancellationToken cancellationToken)
    {
        List<TableShape> tables = [.. shape.Tables.Where(t => t.Oid != TableShape.None)];
        var found = await FindAsync(connection, [.. tables.Select(t => (t.Name, t.Table))], cancellationToken);
        return tables.All(t => found.TryGetValue(t.Name, out var now) && now == (t.Oid, t.Hash));
    }

    /// <summary>
    /// The mapped tables that exist, by their names in the map, with the names of their columns; a table without columns has null. It reads
    /// no types and hashes, which take most of the time of <see cref="DescribeAsync"/>.
    /// </summary>
    public static async Task<ILookup<string, string?>> ColumnNamesAsync(
        NpgsqlConnection connection,
        SourceMap map,
        CancellationToken cancellationToken
    )
    {
        var rows = await connection.QueryAsync(
            $"""
            SELECT n.name, a.attname::text
            {MappedTables}
            LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            """,
            row => (Table: row.GetString(0), Column: row.TextOrNull(1)),
            cancellationToken,
            NamesOf(Mapped(map))
        );
        return rows.ToLookup(row => row.Table, row => row.Column);
    }

    private static List<(string Name, TableName Table)> Mapped(SourceMap map) =>
        [(SourceMap.SessionName, map.Session.Table), .. map.Children.Select(c => (c.Name, c.Table))];

    private static async Task<Dictionary<string, (uint Oid, string Hash)>> FindAsync(
        NpgsqlConnection connection,
        List<(string Name, TableName Table)> names,
        CancellationToken cancellationToken
    )
    {
        var rows = await connection.QueryAsync(
            $"SELECT n.name, c.oid::bigint, {Hash} {MappedTables}",
            row => (Name: row.GetString(0), Oid: (uint)row.GetInt64(1), Hash: row.GetString(2)),
            cancellationToken,
            NamesOf(names)
        );
        return rows.ToDictionary(row => row.Name, row => (row.Oid, row.Hash));
    }

    private static NpgsqlParameter[] NamesOf(List<(string Name, TableName Table)> tables) =>
        [
            PgParameter.Texts(tables.Select(t => t.Name)),
            PgParameter.Texts(tables.Select(t => t.Table.Schema)),
            PgParameter.Texts(tables.Select(t => t.Table.Name)),
        ];

    /// <summary>Kind of a type without modifiers that is no domain.</summary>
    internal static ColumnKind KindOf(string baseType) =>
        baseType switch
        {
            "json" or "jsonb" => ColumnKind.Json,
            "smallint" or "integer" or "bigint" or "numeric" or "real" or "double precision" => ColumnKind.Number,
            "boolean" => ColumnKind.Boolean,
            "timestamp without time zone" or "timestamp with time zone" => ColumnKind.Timestamp,
            _ => ColumnKind.Text,
        };
}

using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>A table as the registry of sources knows it: of a partition the root, because its rows are the partition's.</summary>
/// <param name="Source">The source that it stands under; empty for what the configuration maps.</param>
/// <param name="Table">Its name.</param>
/// <param name="Oid">Stays when it is renamed.</param>
/// <param name="IsSession">Whether it is the source's session table.</param>
/// <param name="IsThere">Whether the database has a table of that name.</param>
internal sealed record SourceTable(string Source, TableName Table, long Oid, bool IsSession, bool IsThere)
{
    /// <summary>
    /// Whether both are one table. After a dump is restored an oid may be another table's, so it counts for renamed ones only.
    /// </summary>
    public bool Is(SourceTable other) => Table == other.Table || (Oid == other.Oid && !IsThere);

    /// <summary>
    /// Of the session table, the column of the session's key; null where the ledger has not noted it yet, or the table has no such column.
    /// </summary>
    public SourceColumn? Key { get; init; }

    /// <summary>Of the session table, the column of users; null where none is mapped.</summary>
    public SourceColumn? User { get; init; }
}

/// <summary>A column as the registry of sources knows it; or the columns of a key of several.</summary>
/// <param name="Name">Its name; of several the JSON array of their names.</param>
/// <param name="Number">Stays when it is renamed; 0 where the table has no such column, <see cref="Several"/> for several.</param>
/// <param name="IsThere">Whether the table has a column of that name.</param>
internal sealed record SourceColumn(string Name, int Number, bool IsThere)
{
    /// <summary>In the place of a number: of several columns each has its own.</summary>
    public const int Several = -1;

    /// <summary>Of a key its type, or the types of its columns with commas; null where the ledger has not noted it yet.</summary>
    public string? Type { get; init; }

    /// <summary>As a message has it.</summary>
    public string Shown => Number == Several ? Name : PgIdentifier.Quote(Name);

    /// <summary>
    /// Whether both are one column. After a dump is restored a number may be another column's, so it counts for renamed ones only.
    /// </summary>
    public bool Is(SourceColumn? other) =>
        other is not null && (Name == other.Name || (Number == other.Number && Number != Several && !IsThere));

    /// <summary>A name without a column is none yet.</summary>
    internal static SourceColumn? Of(string? name, int? number, bool isThere, string? type = null) =>
        name is null ? null : new(name, number ?? 0, isThere) { Type = type };
}

/// <summary>Reads and writes which tables the names of sources stand for.</summary>
internal static class SourceTables
{
    private static readonly string Mapped = $"""
        SELECT DISTINCT ON (r.oid) r.oid::bigint, s.nspname::text, r.relname::text, n.is_session,
               (SELECT CASE WHEN count(*) < cardinality($4) THEN NULL WHEN count(*) = 1 THEN min(a.attnum)::int
                 ELSE {SourceColumn.Several} END
                FROM pg_catalog.pg_attribute AS a WHERE n.is_session AND a.attrelid = r.oid AND a.attname = ANY ($4)
                  AND NOT a.attisdropped),
               (SELECT a.attnum::int FROM pg_catalog.pg_attribute AS a WHERE n.is_session AND a.attrelid = r.oid AND a.attname = $5
                 AND NOT a.attisdropped),
               (SELECT string_agg(pg_catalog.format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL), ','
                 ORDER BY array_position($4, a.attname::text COLLATE "C"))
                FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
                WHERE n.is_session AND a.attrelid = r.oid AND a.attname = ANY ($4) AND NOT a.attisdropped)
        FROM unnest($1, $2, $3) AS n (schema_name, table_name, is_session)
        JOIN pg_catalog.pg_namespace AS m ON m.nspname = n.schema_name
        JOIN pg_catalog.pg_class AS c ON c.relnamespace = m.oid AND c.relname = n.table_name
        JOIN pg_catalog.pg_class AS r ON r.oid = coalesce(pg_catalog.pg_partition_root(c.oid), c.oid)
        JOIN pg_catalog.pg_namespace AS s ON s.oid = r.relnamespace
        ORDER BY r.oid, n.is_session DESC
        """;

    // As JSON: a ledger that is not upgraded yet has no columns of these names.
    private static readonly string Known = $"""
        SELECT t.source, t.schema_name, t.table_name, t.relation, t.is_session, c.oid IS NOT NULL,
               n.key, n.key_number, NOT EXISTS (
                 SELECT FROM unnest(CASE n.key_number WHEN {SourceColumn.Several} THEN ARRAY(SELECT json_array_elements_text(n.key::json))
                   ELSE ARRAY[n.key] END) AS k (name)
                 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = k.name
                   AND NOT a.attisdropped)),
               n.user, n.user_number, EXISTS (SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = n.user
                 AND NOT a.attisdropped), n.key_type
        FROM archiver.source_tables AS t
        CROSS JOIN LATERAL (SELECT to_jsonb(t) AS j) AS r
        CROSS JOIN LATERAL (SELECT r.j->>'key_column' AS key, (r.j->>'key_number')::int AS key_number, r.j->>'user_column' AS "user",
          (r.j->>'user_number')::int AS user_number, r.j->>'key_type' AS key_type) AS n
        LEFT JOIN LATERAL (SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace
                           WHERE s.nspname = t.schema_name AND c.relname = t.table_name) AS c ON true
        ORDER BY t.source, t.is_session DESC, t.schema_name, t.table_name
        """;

    private const string Clear = "DELETE FROM archiver.source_tables AS t WHERE t.source = $1";

    private const string AddName = "INSERT INTO archiver.sources (name) VALUES ($1) ON CONFLICT DO NOTHING";

    private const string Add = """
        INSERT INTO archiver.source_tables (source, schema_name, table_name, relation, is_session, key_column, key_number, user_column,
          user_number, key_type)
        SELECT $1, n.schema_name, n.table_name, n.relation, n.is_session, c.*
          FROM unnest($2, $3, $4, $5) AS n (schema_name, table_name, relation, is_session)
        LEFT JOIN (SELECT $6, $7::smallint, $8, $9::smallint, $10) AS c ON n.is_session
        """;

    /// <summary>The tables that a source maps, as far as the database has them.</summary>
    public static async Task<IReadOnlyList<SourceTable>> MappedAsync(
        NpgsqlConnection connection,
        SourceMap map,
        CancellationToken cancellationToken
    )
    {
        List<TableName> tables = [.. map.Children.Select(c => c.Table).Prepend(map.Session.Table).Distinct()];
        return await connection.QueryAsync(
            Mapped,
            row => new SourceTable("", new(row.GetString(1), row.GetString(2)), row.GetInt64(0), row.GetBoolean(3), IsThere: true)
            {
                Key =
                    row.GetBoolean(3) && !row.IsDBNull(4)
                        ? SourceColumn.Of(SessionIdText.Of([.. map.Session.Key]), row.GetInt32(4), isThere: true, row.TextOrNull(6))
                        : null,
                User = row.GetBoolean(3)
                    ? SourceColumn.Of(map.Session.User, row.IsDBNull(5) ? null : row.GetInt32(5), !row.IsDBNull(5))
                    : null,
            },
            cancellationToken,
            PgParameter.Texts(tables.Select(t => t.Schema)),
            PgParameter.Texts(tables.Select(t => t.Name)),
            PgParameter.Bools(tables.Select((_, i) => i == 0)),
            PgParameter.Texts(map.Session.Key),
            PgParameter.Text(map.Session.User)
        );
    }

    /// <summary>The tables that the ledger knows, of all sources.</summary>
    public static async Task<IReadOnlyList<SourceTable>> KnownAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.QueryAsync(
            Known,
            row => new SourceTable(
                row.GetString(0),
                new(row.GetString(1), row.GetString(2)),
                row.GetInt64(3),
                row.GetBoolean(4),
                row.GetBoolean(5)
            )
            {
                Key = SourceColumn.Of(row.TextOrNull(6), row.IsDBNull(7) ? null : row.GetInt32(7), row.GetBoolean(8), row.TextOrNull(12)),
                User = SourceColumn.Of(row.TextOrNull(9), row.IsDBNull(10) ? null : row.GetInt32(10), row.GetBoolean(11)),
            },
            cancellationToken
        );

    /// <summary>The names that the ledger knows, with tables or, from before it noted them, without.</summary>
    public static async Task<IReadOnlyList<string>> NamesAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.QueryAsync("SELECT s.name FROM archiver.sources AS s ORDER BY s.name", row => row.GetString(0), cancellationToken);

    /// <summary>Notes that a name stands for these tables and no others; joins the caller's transaction.</summary>
    public static async Task WriteAsync(
        NpgsqlConnection connection,
        string source,
        IReadOnlyList<SourceTable> tables,
        CancellationToken cancellationToken
    )
    {
        await connection.ExecuteAsync(AddName, cancellationToken, PgParameter.Text(source));
        await connection.ExecuteAsync(Clear, cancellationToken, PgParameter.Text(source));
        var session = tables.FirstOrDefault(t => t.IsSession);
        await connection.ExecuteAsync(
            Add,
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Texts(tables.Select(t => t.Table.Schema)),
            PgParameter.Texts(tables.Select(t => t.Table.Name)),
            PgParameter.Bigints(tables.Select(t => t.Oid)),
            PgParameter.Bools(tables.Select(t => t.IsSession)),
            PgParameter.Text(session?.Key?.Name),
            PgParameter.Int(session?.Key?.Number),
            PgParameter.Text(session?.User?.Name),
            PgParameter.Int(session?.User?.Number),
            PgParameter.Text(session?.Key?.Type)
        );
    }
}

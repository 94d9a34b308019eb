using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>
/// Checks the foreign keys of restored rows where <c>--disable-triggers</c> has switched off the triggers by which PostgreSQL does it. The
/// parents are locked first as the server would lock them: one that is deleted meanwhile would leave the row behind an orphan.
/// </summary>
internal sealed class ForeignKeyCheck(NpgsqlConnection connection, RestoreTarget target, ImportStatements statements)
{
    private const string Keys = """
        SELECT c.conrelid::bigint, c.conname::text, format('%I.%I', n.nspname, p.relname), c.confmatchtype = 'f',
               (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY AS k (attnum, n)
                 JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.attnum),
               (SELECT array_agg(a.attname::text ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY AS k (attnum, n)
                 JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = k.attnum)
        FROM pg_catalog.pg_constraint AS c
        JOIN pg_catalog.pg_class AS p ON p.oid = c.confrelid
        JOIN pg_catalog.pg_namespace AS n ON n.oid = p.relnamespace
        WHERE c.contype = 'f' AND c.conparentid = 0 AND c.conrelid = ANY ($1)
        ORDER BY c.conname
        """;

    private IReadOnlyList<ForeignKey>? _keys;

    /// <summary>The first broken key as a reason, or null.</summary>
    public async Task<string?> FindBrokenAsync(IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken)
    {
        _keys ??= await connection.QueryAsync(
            Keys,
            row => new ForeignKey(
                (uint)row.GetInt64(0),
                row.GetString(1),
                row.GetString(2),
                row.GetBoolean(3),
                row.GetFieldValue<string[]>(4),
                row.GetFieldValue<string[]>(5)
            ),
            cancellationToken,
            PgParameter.Oids(target.Shape.Tables.Select(t => t.Oid))
        );
        foreach (var key in _keys)
        {
            var table = target.Shape.Tables.First(t => t.Oid == key.Table);
            var rows = statements.RowsOf(table.Name);
            var keys = PgParameter.Texts(sessions.Select(s => s.Key));
            await connection.ExecuteAsync(
                $"SELECT FROM {key.Parent} AS p WHERE EXISTS (SELECT FROM {rows} AND {key.Matches}) FOR KEY SHARE OF p",
                cancellationToken,
                keys.Clone()
            );
            if (
                await connection.ScalarAsync<bool>(
                    $"SELECT EXISTS (SELECT FROM {rows} AND {key.Applies} AND NOT EXISTS (SELECT FROM {key.Parent} AS p WHERE "
                        + $"{key.Matches}))",
                    cancellationToken,
                    keys
                )
            )
            {
                return $"it refers to a row that is not there (constraint '{key.Name}' of {table.Table})";
            }
        }
        return null;
    }

    private sealed record ForeignKey(uint Table, string Name, string Parent, bool MatchFull, string[] Columns, string[] ParentColumns)
    {
        public string Matches => string.Join(" AND ", Columns.Zip(ParentColumns, (c, p) => $"p.{PgIdentifier.Quote(p)} = {Of(c)}"));

        /// <summary>A NULL in a simple key refers to nothing; a full key is all NULL or complete.</summary>
        public string Applies =>
            MatchFull
                ? $"num_nonnulls({string.Join(", ", Columns.Select(Of))}) > 0"
                : string.Join(" AND ", Columns.Select(c => $"{Of(c)} IS NOT NULL"));

        private static string Of(string column) => $"t.{PgIdentifier.Quote(column)}";
    }
}

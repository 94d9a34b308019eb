using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Import;

/// <summary>
/// The SQL of an import. Sessions of one transaction share a plan; their keys travel in a transaction-local setting, because COPY takes no
/// parameters.
/// </summary>
internal sealed class ImportStatements(RestoreTarget target)
{
    private readonly KeyForm _form = KeyForm.Of(target.Map, target.Shape);

    /// <summary>Puts the keys, a text array, where <see cref="ReadBack"/> finds them.</summary>
    public const string SetKeys = "SELECT set_config('archiver.keys', $1::text, true)";

    /// <summary>Keeps DDL away from the tables while rows go in.</summary>
    public string LockTables => $"LOCK TABLE {string.Join(", ", target.Shape.Tables.Select(t => t.Table.Sql))} IN ROW EXCLUSIVE MODE";

    /// <summary>
    /// Temporary tables like the real ones; a column that is converted has its archived type. Made once for the documents of a plan: a
    /// commit or rollback empties them.
    /// </summary>
    public string CreateStaging(ImportPlan plan) =>
        string.Join(
            ";\n",
            target.Shape.Tables.Select(t =>
                $"CREATE TEMPORARY TABLE {target.Staging(t)} ON COMMIT DELETE ROWS AS SELECT {StagingColumns(t, plan)} FROM {t.Table.Sql} "
                + "AS t WITH NO DATA"
            )
        );

    /// <summary>Takes them away.</summary>
    public string DropStaging => $"DROP TABLE IF EXISTS {string.Join(", ", target.Shape.Tables.Select(target.Staging))}";

    /// <summary>Empties them within a transaction.</summary>
    public string ClearStaging => string.Join("; ", target.Shape.Tables.Select(t => $"DELETE FROM {target.Staging(t)}"));

    /// <summary>Rows of sessions by key, for checks and updates ($1, text array).</summary>
    private KeyMatch Keys => KeyMatch.Among(_form, "$1");

    public string CopyIn(PlannedTable table) => $"COPY {target.Staging(table.Target!)} ({Columns(table.Kept)}) FROM STDIN";

    /// <summary>Inserts into tables by one statement, at whose end the server checks the keys between them.</summary>
    public string Insert(IReadOnlyList<PlannedTable> tables) =>
        tables.Count == 1
            ? Insert(tables[0])
            : $"WITH {string.Join(", ", tables.SkipLast(1).Select((t, i) => $"i{i} AS ({Insert(t)})"))} {Insert(tables[^1])}";

    // Identity values are kept; generated columns are left to the database.
    private string Insert(PlannedTable table) =>
        $"""
            INSERT INTO {table.Target!.Table.Sql} ({Columns(table.Written)})
            OVERRIDING SYSTEM VALUE
            SELECT {string.Join(", ", table.Written.Select(c => c.Conversion.In(Staged(c))))} FROM {target.Staging(table.Target)} AS s
            """;

    /// <summary>
    /// The rows of the sessions as they are now, in the types of the document. The last field says that no conversion lost anything.
    /// </summary>
    /// <param name="table">The table.</param>
    /// <param name="staged">
    /// Whether the documents are in the staging tables; else a value that can only be compared with its own there counts as another.
    /// </param>
    /// <param name="only">Which rows.</param>
    public string ReadBack(PlannedTable table, bool staged, RowsChoice only = RowsChoice.All)
    {
        var columns = string.Concat(
            table.Kept.Select(c =>
                (
                    c.Conversion.ByValue
                        ? staged
                            ? Staged(c)
                            : "NULL::text"
                        : c.Conversion.Back(Column(c))
                ) + ", "
            )
        );
        var exact = table.Kept.Select(c =>
            c.Conversion.ByValue
                ? staged
                    ? ColumnConversion.Same(c.Conversion.In(Staged(c)), Column(c))
                    : "false"
                : c.Conversion.Exact?.Invoke(Column(c))
        );
        var lossless = string.Join(" AND ", exact.OfType<string>().DefaultIfEmpty("true"));
        var key = KeyOf(table);
        var join =
            staged && table.Kept.Any(c => c.Conversion.ByValue)
                ? $" LEFT JOIN {target.Staging(table.Target!)} AS s ON {Row("s", key!)} = {Row("t", key!)}"
                : "";
        return $"COPY (SELECT k.n, r.* FROM {Asked} CROSS JOIN LATERAL (SELECT {columns}{lossless} FROM "
            + $"{RowsOf(table.Name, KeyMatch.Is(_form.Parse("k.id")), join)}{Condition(table, only)}) AS r) TO STDOUT";
    }

    /// <summary>Positions of the sessions that have other rows than these, with how many.</summary>
    public string Beside(PlannedTable table, RowsChoice than) =>
        $"SELECT k.n::int, count(*) FROM {Asked} CROSS JOIN LATERAL (SELECT FROM "
        + $"{RowsOf(table.Name, KeyMatch.Is(_form.Parse("k.id")), "")} AND NOT ({Belongs(table, than)})) AS r GROUP BY k.n";

    /// <summary>Positions of the sessions, each with a hash that names a row of the documents that is live.</summary>
    public string LiveRows(PlannedTable table) =>
        $"SELECT k.n::int, r.id FROM {Asked} CROSS JOIN LATERAL (SELECT hashtextextended("
        + $"ROW({SessionPath.Columns("t", KeyOf(table)!)})::text, {table.Target!.Oid}) AS id FROM "
        + $"{RowsOf(table.Name, KeyMatch.Is(_form.Parse("k.id")), "")} AND {Belongs(table, RowsChoice.Documents)}) AS r";

    /// <summary>Whether a row of the document can be found in the table: by its key, or where no key is mapped by all its values.</summary>
    public bool CanFind(PlannedTable table) => KeyOf(table) is null ? !table.Kept.Any(c => c.Conversion.ByValue) : HasKey(table);

    /// <summary>Whether rows of the table can be told from each other.</summary>
    public bool HasKey(PlannedTable table) => KeyOf(table) is { } key && key.All(k => table.Kept.Any(c => c.Target!.Name == k));

    private string Condition(PlannedTable table, RowsChoice only) => only == RowsChoice.All ? "" : $" AND {Belongs(table, only)}";

    private string Belongs(PlannedTable table, RowsChoice rows)
    {
        if (rows == RowsChoice.Transaction)
            return OwnRows.Are("t");
        var columns = KeyOf(table)?.Select(k => table.Kept.First(c => c.Target!.Name == k)) ?? table.Kept;
        var staged = string.Join(", ", columns.Select(c => c.Conversion.In(SessionPath.Column("d", c.Target!.Name))));
        // As text, which every type has, where a column may be null or of a type without equality.
        var (live, asked) = KeyOf(table) is { } key
            ? (Row("t", key), staged)
            : ($"ROW({string.Join(", ", columns.Select(Column))})::text", $"ROW({staged})::text");
        return $"{live} IN (SELECT {asked} FROM {target.Staging(table.Target!)} AS d)";
    }

    /// <summary>For each written column in order, whether some row differs from what was staged; null for a table without a key.</summary>
    public string? Differences(PlannedTable table)
    {
        var key = KeyOf(table);
        if (key is null || !key.All(k => table.Written.Any(c => c.Target!.Name == k)))
            return null;
        var differs = table.Written.Select(c =>
            $"coalesce(bool_or(NOT ({ColumnConversion.Same(c.Conversion.In(Staged(c)), Column(c))})), false)"
        );
        return $"SELECT ARRAY[{string.Join(", ", differs)}] FROM {target.Staging(table.Target!)} AS s JOIN {table.Target!.Table.Sql} AS t "
            + $"ON {Row("t", key)} = {Row("s", key)}";
    }

    /// <summary>Rows of a mapped table for the keys in $1, alias <c>t</c>.</summary>
    public string RowsOf(string table) => RowsOf(table, Keys, "");

    private string Asked => $"unnest(current_setting('archiver.keys')::text[]::{_form.Type}[]) WITH ORDINALITY AS k (id, n)";

    /// <param name="join">Joins of the table's own rows, alias <c>t</c>.</param>
    private string RowsOf(string table, KeyMatch match, string join)
    {
        if (table == SourceMap.SessionName)
            return $"{target.Map.Session.Sql} AS t{join} WHERE {match.Sql(_form.Of("t"))}";
        var child = target.Map.Children.Single(c => c.Name == table);
        var path = SessionPath.Of(target.Map, target.Shape, child);
        return $"{string.Join(", ", [$"{child.Table.Sql} AS t{join}", .. path.Joins])} WHERE {path.Where(match)}";
    }

    private static string StagingColumns(TableShape shape, ImportPlan plan)
    {
        var converted = plan
            .Tables.Where(t => t.Target == shape)
            .SelectMany(t => t.Kept)
            .Where(c => c.Conversion.StagedAs is not null)
            .ToDictionary(c => c.Target!.Name, c => c.Conversion.StagedAs!, StringComparer.Ordinal);
        return converted.Count == 0
            ? "*"
            : string.Join(
                ", ",
                shape.Columns.Select(c =>
                    converted.TryGetValue(c.Name, out var type)
                        ? $"NULL::{type} AS {PgIdentifier.Quote(c.Name)}"
                        : SessionPath.Column("t", c.Name)
                )
            );
    }

    private KeyColumns? KeyOf(PlannedTable table) =>
        table.Name == SourceMap.SessionName ? target.Map.Session.Key : target.Map.Children.Single(c => c.Name == table.Name).Key;

    private static string Row(string alias, KeyColumns key) =>
        key.Only is { } only ? SessionPath.Column(alias, only) : $"({SessionPath.Columns(alias, key)})";

    private static string Column(PlannedColumn column) => SessionPath.Column("t", column.Target!.Name);

    private static string Staged(PlannedColumn column) => SessionPath.Column("s", column.Target!.Name);

    private static string Quoted(PlannedColumn column) => PgIdentifier.Quote(column.Target!.Name);

    private static string Columns(IEnumerable<PlannedColumn> columns) => string.Join(", ", columns.Select(Quoted));
}

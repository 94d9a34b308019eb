using Archiver.Core.Postgres;
using Archiver.Core.Sources;

namespace Archiver.Core.Restore;

/// <summary>The SQL of an import. Sessions of one transaction share a plan; their keys travel in a transaction-local setting, because COPY takes no parameters.</summary>
internal sealed class ImportStatements(RestoreTarget target)
{
    private readonly string _keyType = target.Shape.KeyType(target.Map);

    /// <summary>Puts the keys, a text array, where <see cref="ReadBack"/> finds them.</summary>
    public const string SetKeys = "SELECT set_config('archiver.keys', $1::text, true)";

    /// <summary>Keeps DDL away from the tables while rows go in.</summary>
    public string LockTables => $"LOCK TABLE {string.Join(", ", target.Shape.Tables.Select(t => t.Table.Sql))} IN ROW EXCLUSIVE MODE";

    /// <summary>Temporary tables like the real ones, made once a connection; a commit or rollback empties them.</summary>
    public string CreateStaging => string.Join(";\n", target.Shape.Tables.Select(t =>
        $"CREATE TEMPORARY TABLE {target.Staging(t)} ON COMMIT DELETE ROWS AS SELECT * FROM {t.Table.Sql} WITH NO DATA"));

    /// <summary>Empties them within a transaction.</summary>
    public string ClearStaging => string.Join("; ", target.Shape.Tables.Select(t => $"DELETE FROM {target.Staging(t)}"));

    /// <summary>Which of the keys ($1, text array) have a session row.</summary>
    public string Existing => $"SELECT {Key("t")}::text FROM {target.Map.Session.Table.Sql} AS t WHERE {Key("t")} = ANY ($1::{_keyType}[])";

    /// <summary>Rows of sessions by key, for checks and updates ($1, text array).</summary>
    public string KeyCondition => $"= ANY ($1::{_keyType}[])";

    public string CopyIn(PlannedTable table) => $"COPY {target.Staging(table.Target!)} ({Columns(table.Kept)}) FROM STDIN";

    /// <summary>Identity values are kept; generated columns are left to the database.</summary>
    public string Insert(PlannedTable table) => $"""
        INSERT INTO {table.Target!.Table.Sql} ({Columns(table.Written)})
        OVERRIDING SYSTEM VALUE
        SELECT {Columns(table.Written)} FROM {target.Staging(table.Target)}
        """;

    /// <summary>
    /// The rows of the sessions as they are now, in the types of the document. The last field says that no cast on the way lost anything:
    /// cast back, every value is still the one in the table.
    /// </summary>
    public string ReadBack(PlannedTable table)
    {
        var columns = string.Concat(table.Kept.Select(c => c.Cast is null ? $"{Column(c)}, " : $"({Column(c)})::{c.Cast}, "));
        var casts = table.Kept.Where(c => c.Cast is not null).Select(c => $"{Image($"(({Column(c)})::{c.Cast})::{c.Target!.Type}")} OPERATOR(pg_catalog.*=) {Image(Column(c))}");
        var lossless = string.Join(" AND ", casts.DefaultIfEmpty("true"));
        var from = table.Name == SourceMap.SessionName
            ? $"{target.Map.Session.Table.Sql} AS t WHERE {Key("t")} = k.id"
            : Children(target.Map.Children.Single(c => c.Name == table.Name), "= k.id");
        return $"""
            COPY (SELECT k.n, r.*
                  FROM unnest(current_setting('archiver.keys')::text[]::{_keyType}[]) WITH ORDINALITY AS k (id, n)
                  CROSS JOIN LATERAL (SELECT {columns}{lossless} FROM {from}) AS r) TO STDOUT
            """;
    }

    /// <summary>For each written column in order, whether some row differs from what was staged; null for a table without a key.</summary>
    public string? Differences(PlannedTable table)
    {
        var key = table.Name == SourceMap.SessionName ? target.Map.Session.Key : target.Map.Children.Single(c => c.Name == table.Name).Key;
        if (key is null || table.Written.All(c => c.Target!.Name != key))
            return null;
        var differs = table.Written.Select(c => $"coalesce(bool_or({Image($"t.{Quoted(c)}")} OPERATOR(pg_catalog.*<>) {Image($"s.{Quoted(c)}")}), false)");
        var quotedKey = PgIdentifier.Quote(key);
        return $"SELECT ARRAY[{string.Join(", ", differs)}] FROM {target.Staging(table.Target!)} AS s JOIN {table.Target!.Table.Sql} AS t ON t.{quotedKey} = s.{quotedKey}";
    }

    /// <summary><c>FROM</c> list and condition for the rows of a child, alias <c>t</c>.</summary>
    public string Children(ChildTable child, string keyCondition)
    {
        var path = SessionPath.Of(target.Map, child);
        return $"{path.From(child)} WHERE {path.Where(keyCondition)}";
    }

    /// <summary>Rows of a mapped table for the keys in $1, alias <c>t</c>.</summary>
    public string RowsOf(string table) => table == SourceMap.SessionName
        ? $"{target.Map.Session.Table.Sql} AS t WHERE {Key("t")} {KeyCondition}"
        : Children(target.Map.Children.Single(c => c.Name == table), KeyCondition);

    // The cast keeps the parser from comparing field by field, for which json has no operator.
    private static string Image(string value) => $"ROW({value})::record";

    private string Key(string alias) => SessionPath.Column(alias, target.Map.Session.Key);

    private static string Column(PlannedColumn column) => SessionPath.Column("t", column.Target!.Name);

    private static string Quoted(PlannedColumn column) => PgIdentifier.Quote(column.Target!.Name);

    private static string Columns(IEnumerable<PlannedColumn> columns) => string.Join(", ", columns.Select(Quoted));
}

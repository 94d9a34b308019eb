using Archiver.Core.Postgres;
using Archiver.Core.Sources;

namespace Archiver.Core.Selection;

/// <summary>How large rows are, as SQL.</summary>
internal static class RowBytes
{
    /// <summary>About the bytes of a row as text. octet_length answers from the TOAST pointer: no large value is read for it.</summary>
    public static string Of(TableShape table, string alias) =>
        string.Join(
            " + ",
            [
                "64::bigint",
                .. table
                    .Columns.Where(c => c.Kind is ColumnKind.Text or ColumnKind.Json)
                    .Select(c => $"coalesce({ValueBytes(c, SessionPath.Column(alias, c.Name))}, 0)"),
            ]
        );

    private static string ValueBytes(ColumnShape column, string sql) =>
        column.BaseType switch
        {
            "text" or "character varying" or "character" or "json" => $"octet_length({sql}::text)",
            "bytea" => $"2 * octet_length({sql})",
            _ => $"2 * pg_column_size({sql})",
        };
}

using System.Text.Json;

namespace Archiver.Core.Query;

/// <summary>
/// The views that a SELECT reads, where it reads them plainly: one, or several joined on <c>session_id</c>, and each only there.
/// </summary>
internal static class PlainTables
{
    /// <summary>Nodes of the parser that bring rows.</summary>
    private static readonly string[] Kinds =
    [
        "BASE_TABLE",
        "TABLE_FUNCTION",
        "SUBQUERY",
        "SET_OPERATION_NODE",
        "CTE_NODE",
        "RECURSIVE_CTE_NODE",
        "SHOW_REF",
        "PIVOT",
        "DELIM_GET",
        "COLUMN_DATA",
    ];

    /// <summary>Empty when it reads anything in another way.</summary>
    public static IReadOnlyList<PlainTable> Of(JsonElement select)
    {
        List<PlainTable> tables = [];
        if (!select.TryGetProperty("from_table", out var from) || !Add(from, tables))
            return [];
        // Subqueries, common table expressions and functions read views too, and other rows of them.
        return Readings(select) == tables.Count ? tables : [];
    }

    private static bool Add(JsonElement from, List<PlainTable> tables)
    {
        if (!IsNull(from, "sample"))
            return false;
        switch (Text(from, "type"))
        {
            case "BASE_TABLE":
                var name = Text(from, "table_name");
                tables.Add(new(name, Text(from, "alias") is { Length: > 0 } alias ? alias : name));
                return Text(from, "schema_name").Length == 0
                    && Text(from, "catalog_name").Length == 0
                    && IsNull(from, "at_clause")
                    && from.GetProperty("column_name_alias").GetArrayLength() == 0;
            case "JOIN":
                return Text(from, "join_type") is "INNER" or "LEFT"
                    && Text(from, "ref_type") == "REGULAR"
                    && Add(from.GetProperty("left"), tables)
                    && Add(from.GetProperty("right"), tables)
                    && IsOnSession(from, tables);
            default:
                return false;
        }
    }

    private static bool IsOnSession(JsonElement join, List<PlainTable> tables)
    {
        if (join.GetProperty("using_columns").EnumerateArray().Any(c => Same(c.GetString()!, ViewColumns.SessionId)))
            return true;
        // The table on the right, which was added last, with any on the left.
        return join.TryGetProperty("condition", out var condition)
            && Terms(condition)
                .Any(t =>
                    Text(t, "type") == "COMPARE_EQUAL"
                    && new[] { t.GetProperty("left"), t.GetProperty("right") } is var sides
                    && Array.Exists(sides, s => tables[^1].IsSession(s))
                    && Array.Exists(sides, s => tables.Take(tables.Count - 1).Any(o => o.IsSession(s)))
                );
    }

    private static IEnumerable<JsonElement> Terms(JsonElement expression) =>
        Text(expression, "type") == "CONJUNCTION_AND"
            ? expression.GetProperty("children").EnumerateArray().SelectMany(Terms)
            : [expression];

    private static int Readings(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Array => element.EnumerateArray().Sum(Readings),
            JsonValueKind.Object => element.EnumerateObject().Sum(p => Readings(p.Value))
                + (Array.IndexOf(Kinds, Text(element, "type")) >= 0 ? 1 : 0),
            _ => 0,
        };

    private static bool IsNull(JsonElement element, string name) =>
        !element.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null;

    private static bool Same(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);

    private static string Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : "";
}

/// <summary>A view that a SELECT reads.</summary>
internal sealed record PlainTable(string View, string Alias)
{
    /// <summary>The ledger's column of this view that an expression is; null for anything else.</summary>
    /// <param name="expression">The expression.</param>
    /// <param name="tables">
    /// How many views the SELECT reads: beside others, a column without a table's name is one that only <c>sessions</c> has.
    /// </param>
    public string? ColumnOf(JsonElement expression, int tables)
    {
        var isSessions = View.Equals("sessions", StringComparison.OrdinalIgnoreCase);
        var columns = (isSessions ? ViewColumns.Sessions : ViewColumns.Children).Select(c => c.Name).ToList();
        var alone = columns.Where(c => tables == 1 || !isSessions || ViewColumns.Children.All(o => o.Name != c));
        return Parts(expression) switch
        {
            [var column] when tables == 1 || isSessions => alone.FirstOrDefault(k => Same(k, column)),
            [var table, var column] when Same(table, Alias) => columns.Find(k => Same(k, column)),
            _ => null,
        };
    }

    /// <summary>Whether an expression is this view's <c>session_id</c>, by its table's name.</summary>
    public bool IsSession(JsonElement expression) =>
        Parts(expression) is [var table, var column] && Same(table, Alias) && Same(column, ViewColumns.SessionId);

    private static string[] Parts(JsonElement expression) =>
        expression.ValueKind == JsonValueKind.Object && expression.TryGetProperty("type", out var type) && type.GetString() == "COLUMN_REF"
            ? [.. expression.GetProperty("column_names").EnumerateArray().Select(n => n.GetString()!)]
            : [];

    private static bool Same(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);
}

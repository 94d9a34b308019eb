using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Archiver.Core.Query;

/// <summary>
/// Conditions on the ledger's columns that a SELECT states so plainly that sessions which do not fulfil them cannot matter to its answer:
/// comparisons with constants, joined by AND, in the WHERE of a SELECT from one view, or from views joined on <c>session_id</c>, and from
/// nothing else. Where there is any doubt there is no condition, and more is fetched than is needed.
/// </summary>
internal static partial class PlainConditions
{
    /// <param name="node">The SELECT as DuckDB's parser understands it.</param>
    /// <param name="sources">How many sources are asked: in several, one id may be two sessions, which a join would bring together.</param>
    public static LedgerCondition Of(JsonElement node, int sources)
    {
        if (
            Text(node, "type") != "SELECT_NODE"
            || !node.TryGetProperty("where_clause", out var where)
            || where.ValueKind != JsonValueKind.Object
        )
            return LedgerCondition.None;
        var tables = PlainTables.Of(node);
        if (tables.Count == 0 || (tables.Count > 1 && sources > 1))
            return LedgerCondition.None;
        // Of one table only: a row of each may come from another archive of the session.
        return tables
            .Select(t => Terms(where).Aggregate(LedgerCondition.None, (all, term) => And(all, term, t, tables.Count)))
            .OrderByDescending(c => c.Texts.Count + c.Times.Count)
            .First();
    }

    private static IEnumerable<JsonElement> Terms(JsonElement expression) =>
        Text(expression, "type") == "CONJUNCTION_AND"
            ? expression.GetProperty("children").EnumerateArray().SelectMany(Terms)
            : [expression];

    private static LedgerCondition And(LedgerCondition all, JsonElement term, PlainTable table, int tables)
    {
        var type = Text(term, "type");
        if (type == "COMPARE_IN" && term.GetProperty("children").EnumerateArray().ToList() is [var tested, .. var values])
        {
            var texts = values.Select(Constant).ToList();
            return table.ColumnOf(tested, tables) is { } among && IsText(among) && texts.TrueForAll(t => t is not null)
                ? all.And(among, [.. texts.OfType<string>()])
                : all;
        }
        if (type == "COMPARE_BETWEEN")
        {
            return
                table.ColumnOf(term.GetProperty("input"), tables) is { } between
                && IsTime(between)
                && Day(term.GetProperty("lower")) is { } low
                && Day(term.GetProperty("upper")) is { } high
                ? all.And(between, low.From, high.To)
                : all;
        }
        if (
            !type.StartsWith("COMPARE_", StringComparison.Ordinal)
            || !term.TryGetProperty("left", out var left)
            || !term.TryGetProperty("right", out var right)
        )
            return all;
        if (table.ColumnOf(left, tables) is null)
            (left, right, type) = (right, left, Turned(type));
        if (table.ColumnOf(left, tables) is not { } column)
            return all;
        if (IsText(column))
            return type == "COMPARE_EQUAL" && Constant(right) is { } text ? all.And(column, [text]) : all;
        return IsTime(column) && Day(right) is { } day
            ? type switch
            {
                "COMPARE_EQUAL" => all.And(column, day.From, day.To),
                "COMPARE_GREATERTHAN" or "COMPARE_GREATERTHANOREQUALTO" => all.And(column, day.From, null),
                "COMPARE_LESSTHAN" or "COMPARE_LESSTHANOREQUALTO" => all.And(column, null, day.To),
                _ => all,
            }
            : all;
    }

    private static string Turned(string type) =>
        type switch
        {
            "COMPARE_GREATERTHAN" => "COMPARE_LESSTHAN",
            "COMPARE_GREATERTHANOREQUALTO" => "COMPARE_LESSTHANOREQUALTO",
            "COMPARE_LESSTHAN" => "COMPARE_GREATERTHAN",
            "COMPARE_LESSTHANOREQUALTO" => "COMPARE_GREATERTHANOREQUALTO",
            _ => type,
        };

    private static bool IsText(string column) =>
        column is ViewColumns.SessionId or ViewColumns.UserId or ViewColumns.Policy or ViewColumns.ExternalId or ViewColumns.Source;

    private static bool IsTime(string column) => column is ViewColumns.ArchivedAt or ViewColumns.LastActivity;

    // A number would be compared as a number: '042' is 42.
    private static string? Constant(JsonElement expression) =>
        Text(expression, "type") == "VALUE_CONSTANT"
        && expression.GetProperty("value") is var value
        && Text(value.GetProperty("type"), "id") == "VARCHAR"
        && !value.GetProperty("is_null").GetBoolean()
            ? Text(value, "value")
            : null;

    /// <summary>The day of a constant, with a day on either side: whatever zone it is read in.</summary>
    private static (DateTimeOffset From, DateTimeOffset To)? Day(JsonElement expression)
    {
        if (
            Text(expression, "type") == "OPERATOR_CAST"
            && Text(expression.GetProperty("cast_type"), "id") is "DATE" or "TIMESTAMP" or "TIMESTAMP WITH TIME ZONE"
        )
            expression = expression.GetProperty("child");
        return
            Constant(expression) is { } text
            && Instant().IsMatch(text)
            && DateOnly.TryParseExact(text.AsSpan(0, 10), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            && day.Year is > 1 and < 9999
            ? (new(day.AddDays(-1), TimeOnly.MinValue, TimeSpan.Zero), new(day.AddDays(2), TimeOnly.MinValue, TimeSpan.Zero))
            : null;
    }

    private static string Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : "";

    [GeneratedRegex(@"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)?)?$")]
    private static partial Regex Instant();
}

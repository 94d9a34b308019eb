using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>
/// Compares a parent's key with a child's column of another type, as applications do whose ORM writes one as text: the key becomes values
/// of the column's type, so that the column's index serves. A key that is none finds no rows, and fails no query. Every spelling that is
/// the same id counts: rows that are not found would stay behind, and a message that nobody sees would not keep its session.
/// </summary>
internal static class LinkCast
{
    private const string Hex = "([0-9A-Fa-f]{4}-?){7}[0-9A-Fa-f]{4}";

    /// <summary>Types that a key can be cast to.</summary>
    public static IReadOnlyList<string> Types { get; } = ["text", "uuid", "bigint"];

    /// <summary>SQL of an array of the values that the column has for this key.</summary>
    /// <param name="type">The column's, one of <see cref="Types"/>.</param>
    /// <param name="key">SQL of the parent's key.</param>
    public static string Values(string type, string key) =>
        type switch
        {
            // Of a uuid with and without dashes, in small letters and in capitals: as the server, Python, Swift and .NET write it.
            "text" =>
                $"(CASE WHEN pg_typeof({key}) = 'uuid'::regtype THEN ARRAY[({key})::text, upper(({key})::text), replace(({key})::text, "
                    + $"'-', ''), upper(replace(({key})::text, '-', ''))] ELSE ARRAY[({key})::text] END)",
            "uuid" => $"(CASE WHEN ({key})::text ~ '^({Hex}|[{{]{Hex}[}}])$' THEN ARRAY[({key})::text::uuid] END)",
            "bigint" => $"(CASE WHEN ({key})::text ~ '^ *[+-]?0*[0-9]{{1,19}}([.]0*)? *$' THEN CASE WHEN ({key})::text::numeric BETWEEN "
                + $"{long.MinValue} AND {long.MaxValue} THEN ARRAY[({key})::text::numeric::bigint] END END)",
            _ => throw new InvalidOperationException($"Nothing is cast to '{type}'."),
        };

    /// <summary>A condition: the child's column holds this key of its parent.</summary>
    /// <param name="child">Whose column it is.</param>
    /// <param name="column">SQL of the column.</param>
    /// <param name="key">SQL of the parent's key.</param>
    public static string Links(ChildTable child, string column, string key) =>
        child.Cast is null ? $"{column} = {key}" : $"{column} = ANY ({Values(child.Cast, key)})";
}

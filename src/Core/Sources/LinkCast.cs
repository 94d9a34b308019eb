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
    /// <param name="child">Whose column it is; it has a cast, one of <see cref="Types"/>.</param>
    /// <param name="shape">
    /// The tables: what the parent's key is without its domains. The server would say of a value that it is of the domain.
    /// </param>
    /// <param name="key">SQL of the parent's key.</param>
    public static string Values(ChildTable child, SourceShape shape, string key) =>
        child.Cast switch
        {
            // Of a uuid with and without dashes, in small letters and in capitals: as the server, Python, Swift and .NET write it.
            "text" when shape[child.Parent][child.ParentKey[0]].BaseType == "uuid" =>
                $"(ARRAY[({key})::text, upper(({key})::text), replace(({key})::text, '-', ''), upper(replace(({key})::text, '-', ''))])",
            "text" => $"(ARRAY[({key})::text])",
            "uuid" => $"(CASE WHEN ({key})::text ~ '^({Hex}|[{{]{Hex}[}}])$' THEN ARRAY[({key})::text::uuid] END)",
            "bigint" => $"(CASE WHEN ({key})::text ~ '^ *[+-]?0*[0-9]{{1,19}}([.]0*)? *$' THEN CASE WHEN ({key})::text::numeric BETWEEN "
                + $"{long.MinValue} AND {long.MaxValue} THEN ARRAY[({key})::text::numeric::bigint] END END)",
            _ => throw new InvalidOperationException($"Nothing is cast to '{child.Cast}'."),
        };

    /// <summary>A condition: the child's column holds this key of its parent.</summary>
    /// <param name="child">Whose column it is.</param>
    /// <param name="shape">The tables.</param>
    /// <param name="column">SQL of the column.</param>
    /// <param name="key">SQL of the parent's key.</param>
    public static string Links(ChildTable child, SourceShape shape, string column, string key) =>
        child.Cast is null ? $"{column} = {key}" : $"{column} = ANY ({Values(child, shape, key)})";
}

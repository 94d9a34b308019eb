using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>
/// Compares a parent's key with a child's column of another type, as applications do whose ORM writes one as text: the key becomes a value of the column's
/// type, so that the column's index serves. A key that is none finds no rows, and fails no query.
/// </summary>
internal static class LinkCast
{
    /// <summary>Types that a key can be cast to.</summary>
    public static IReadOnlyList<string> Types { get; } = ["text", "uuid", "bigint"];

    /// <param name="child">Whose column it is compared with.</param>
    /// <param name="key">SQL of the parent's key.</param>
    public static string Of(ChildTable child, string key) => child.Cast switch
    {
        null => key,
        "text" => $"({key})::text",
        // As the server itself writes them: other spellings would come back as another key.
        "uuid" => $"(CASE WHEN ({key})::text ~ '^[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}$' THEN ({key})::text::uuid END)",
        "bigint" => $"(CASE WHEN ({key})::text ~ '^(0|-?[1-9][0-9]{{0,17}})$' THEN ({key})::text::bigint END)",
        var type => throw new InvalidOperationException($"Nothing is cast to '{type}'."),
    };
}

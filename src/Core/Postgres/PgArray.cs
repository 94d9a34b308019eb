namespace Archiver.Core.Postgres;

/// <summary>The text form of a <c>text[]</c>.</summary>
internal static class PgArray
{
    /// <summary>Every element quoted, so that NULL, braces, commas and blanks in it mean themselves.</summary>
    public static string Literal(IEnumerable<string> values) => $"{{{string.Join(',', values.Select(v => $"\"{Escaped(v)}\""))}}}";

    private static string Escaped(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
}

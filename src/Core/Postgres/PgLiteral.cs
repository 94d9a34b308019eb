namespace Archiver.Core.Postgres;

/// <summary>Text as an SQL literal, for the few statements that take no parameters (COPY).</summary>
internal static class PgLiteral
{
    /// <summary>The text as an <c>E''</c> literal, which means the same whatever <c>standard_conforming_strings</c> says.</summary>
    public static string Quote(string text) =>
        $"E'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'";
}

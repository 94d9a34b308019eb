using System.Globalization;

namespace Archiver.Worker.Output;

/// <summary>Text from a database as a terminal may show it.</summary>
internal static class Printable
{
    /// <summary>The text with control characters as <c>\u001B</c>: an escape sequence inside an id must not steer anybody's terminal.</summary>
    public static string Of(string text) => text.Any(char.IsControl)
        ? string.Concat(text.Select(c => char.IsControl(c) ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}") : c.ToString()))
        : text;
}

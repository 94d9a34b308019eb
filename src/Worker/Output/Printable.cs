using System.Globalization;

namespace Archiver.Worker.Output;

/// <summary>Text from a database as a terminal may show it.</summary>
internal static class Printable
{
    /// <summary>
    /// The text with control characters as <c>\u001B</c>: an escape sequence inside an id must not steer anybody's terminal.
    /// </summary>
    public static string Of(string text) => Escape(text, char.IsControl);

    /// <summary>The same for a text of several lines.</summary>
    public static string Lines(string text) => Escape(text, c => char.IsControl(c) && c != '\n');

    private static string Escape(string text, Func<char, bool> isEscaped) =>
        text.Any(isEscaped)
            ? string.Concat(text.Select(c => isEscaped(c) ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}") : c.ToString()))
            : text;
}

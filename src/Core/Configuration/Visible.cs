using System.Globalization;
using System.Text;

namespace Archiver.Core.Configuration;

/// <summary>Text from outside as a message may show it: on one line and not endless.</summary>
internal static class Visible
{
    private const int Longest = 240;

    /// <summary>The text in quotes; a URL with a password in it is hidden, because people paste those into any key.</summary>
    public static string Value(string value) =>
        value.Contains("://", StringComparison.Ordinal) && value.Contains('@', StringComparison.Ordinal)
            ? "a URL that holds credentials (not shown)"
            : $"'{Text(value)}'";

    /// <summary>The text with control characters as <c>\u000A</c>: a line break inside would look like another problem.</summary>
    public static string Text(string text)
    {
        var line = new StringBuilder();
        foreach (var c in text.Length > Longest ? text.AsSpan(0, Longest) : text)
        {
            if (char.IsControl(c))
                line.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
            else
                line.Append(c);
        }
        return text.Length > Longest ? line.Append("...").ToString() : line.ToString();
    }
}

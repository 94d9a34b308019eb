using System.Globalization;
using System.Text;

namespace Archiver.Core.Selection;

/// <summary>
/// Makes the JSON of the columns named in Keep such that a <c>jsonb</c> column takes it. A <c>json</c> column holds what jsonb refuses:
/// <c>\u0000</c>, half of a surrogate pair, numbers without end. The copy in the ledger is for lists; the document has the value as it is.
/// </summary>
internal static class KeptColumns
{
    private const string Replacement = "\\ufffd";

    // Within what numeric takes by far.
    private const int LongestNumber = 200;
    private const int LargestExponent = 1000;

    /// <summary>
    /// The same JSON; an escape that is no character becomes U+FFFD, a number that numeric does not take becomes a string.
    /// </summary>
    public static string? ForJsonb(string? json)
    {
        if (json is null)
            return null;
        var result = new StringBuilder(json.Length);
        for (var i = 0; i < json.Length; )
        {
            if (json[i] == '"')
                i = CopyString(json, i, result);
            else if (json[i] == '-' || char.IsAsciiDigit(json[i]))
                i = CopyNumber(json, i, result);
            else
                result.Append(json[i++]);
        }
        return result.ToString();
    }

    private static int CopyString(string json, int start, StringBuilder result)
    {
        result.Append('"');
        for (var i = start + 1; ; )
        {
            if (json[i] == '"')
            {
                result.Append('"');
                return i + 1;
            }
            var length =
                json[i] != '\\' ? 1
                : json[i + 1] != 'u' ? 2
                : 6;
            if (length == 6 && !IsCharacter(json, ref i, out length))
                result.Append(Replacement);
            else
                result.Append(json, i, length);
            i += length;
        }
    }

    /// <summary>
    /// Whether the escape at the position, with the one after it where both are a surrogate pair, is a character that jsonb takes.
    /// </summary>
    private static bool IsCharacter(string json, ref int position, out int length)
    {
        var first = Escape(json, position);
        var pair =
            char.IsHighSurrogate(first)
            && position + 11 < json.Length
            && json[position + 6] == '\\'
            && json[position + 7] == 'u'
            && char.IsLowSurrogate(Escape(json, position + 6));
        length = pair ? 12 : 6;
        return pair || (first != '\0' && !char.IsSurrogate(first));
    }

    private static char Escape(string json, int position) =>
        (char)ushort.Parse(json.AsSpan(position + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static int CopyNumber(string json, int start, StringBuilder result)
    {
        var end = start;
        while (end < json.Length && (char.IsAsciiDigit(json[end]) || json[end] is '-' or '+' or '.' or 'e' or 'E'))
            end++;
        var number = json.AsSpan(start, end - start);
        var exponent = number.IndexOfAny('e', 'E');
        var fits =
            number.Length <= LongestNumber
            && (
                exponent < 0
                || (
                    int.TryParse(number[(exponent + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
                    && Math.Abs((long)value) <= LargestExponent
                )
            );
        result.Append(fits ? number : $"\"{number}\"");
        return end;
    }
}

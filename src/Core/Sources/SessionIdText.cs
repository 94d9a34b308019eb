using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Archiver.Core.Sources;

/// <summary>
/// The id of a key. That of one column is its value; of several, as <see cref="KeyForm"/> has the server write it and as
/// <c>JSON.stringify</c> does: a JSON array of strings, without blanks, with no more escapes than JSON needs.
/// </summary>
internal static class SessionIdText
{
    /// <summary>The id of a key's values.</summary>
    public static string Of(IReadOnlyList<string> values)
    {
        if (values is [var only])
            return only;
        var text = new StringBuilder("[");
        foreach (var value in values)
        {
            text.Append(text.Length > 1 ? ",\"" : "\"");
            foreach (var c in value)
                Append(text, c);
            text.Append('"');
        }
        return text.Append(']').ToString();
    }

    /// <summary>The values of an id that somebody wrote, with blanks or numbers too; null where it is none of so many columns.</summary>
    public static IReadOnlyList<string>? Read(string id, int columns)
    {
        try
        {
            using var json = JsonDocument.Parse(id);
            if (json.RootElement.ValueKind != JsonValueKind.Array || json.RootElement.GetArrayLength() != columns)
                return null;
            List<string> values = [];
            foreach (var item in json.RootElement.EnumerateArray())
            {
                if (item.ValueKind is not (JsonValueKind.String or JsonValueKind.Number))
                    return null;
                values.Add(item.ValueKind == JsonValueKind.String ? item.GetString()! : item.GetRawText());
            }
            return values;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Not JSON, or half of a surrogate pair.
            return null;
        }
    }

    /// <summary>A number as <see cref="KeyForm"/> has the server write it: without zeros at the end.</summary>
    public static string Number(string text) => text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;

    private static void Append(StringBuilder text, char c) =>
        _ = c switch
        {
            '"' => text.Append("\\\""),
            '\\' => text.Append("\\\\"),
            '\b' => text.Append("\\b"),
            '\f' => text.Append("\\f"),
            '\n' => text.Append("\\n"),
            '\r' => text.Append("\\r"),
            '\t' => text.Append("\\t"),
            < ' ' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
            _ => text.Append(c),
        };
}

using System.Text.Json;

namespace Archiver.Worker.Output;

/// <summary>The session columns named in <c>Keep</c>, such as a title, as a list shows them.</summary>
internal static class Kept
{
    /// <summary>Characters shown; a list is no place for more, and the document has all.</summary>
    private const int Longest = 60;

    /// <summary>Their values in one line; empty when none was kept.</summary>
    /// <param name="json">The object that the ledger has, or null.</param>
    public static string Text(string? json)
    {
        if (json is null)
            return "";
        using var document = JsonDocument.Parse(json);
        var text = string.Join(
            ", ",
            document.RootElement.EnumerateObject().Where(p => p.Value.ValueKind != JsonValueKind.Null).Select(p => Value(p.Value))
        );
        return text.Length <= Longest ? text : $"{text[..(char.IsHighSurrogate(text[Longest - 1]) ? Longest - 1 : Longest)]}...";
    }

    private static string Value(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}

using System.Globalization;
using System.Text.Json;
using Archiver.Core.Holds;

namespace Archiver.Worker.Pages;

/// <summary>Values as the pages show them.</summary>
internal static class Show
{
    /// <summary>Characters of one value that a page shows.</summary>
    private const int Longest = 50_000;

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Number(long? number) => number is { } value ? Number(value) : "?";

    public static string At(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) ?? "never";

    public static string Iso(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    public static string Raw(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    public static string Duration(double seconds) =>
        seconds switch
        {
            < 10 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
            < 120 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
            < 7200 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min"),
            < 172_800 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0} h"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 86_400:0} days"),
        };

    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0} %");

    /// <summary>A JSON value of a document as text: strings as they are, everything else as JSON.</summary>
    public static string Value(JsonElement value)
    {
        string text;
        try
        {
            text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate, which PostgreSQL's json may hold and .NET's strings from JSON may not: shown as it is written.
            text = value.GetRawText();
        }
        return text.Length <= Longest
            ? text
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{text.AsSpan(0, Longest)}... (cut here; the document has {text.Length} characters)"
            );
    }

    public static string Hold(ListedHold hold) =>
        hold switch
        {
            { SessionId: { } session } => $"session {session}",
            { UserId: { } user } => $"user {user}",
            _ => $"{hold.From ?? "the beginning"} to {hold.To ?? "now"}",
        };

    /// <summary>Link to a session's transcript.</summary>
    public static string TranscriptUrl(string source, string id, int? generation = null, int first = 0)
    {
        var one = generation is { } g ? string.Create(CultureInfo.InvariantCulture, $"&generation={g}") : "";
        var from = first > 0 ? string.Create(CultureInfo.InvariantCulture, $"&first={first}") : "";
        return $"/transcript?source={Uri.EscapeDataString(source)}&id={Uri.EscapeDataString(id)}{one}{from}";
    }

    public static string RestoreUrl(string source, string id, int generation) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"/restore?source={Uri.EscapeDataString(source)}&id={Uri.EscapeDataString(id)}&generation={generation}"
        );

    public static string DocumentUrl(string source, string id, int generation) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"/archives/{Uri.EscapeDataString(id)}?source={Uri.EscapeDataString(source)}&generation={generation}"
        );
}

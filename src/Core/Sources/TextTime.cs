using System.Globalization;
using System.Text.RegularExpressions;

namespace Archiver.Core.Sources;

/// <summary>
/// Times that are ISO 8601 texts. A text of another form is no time, and never makes a query fail; without an offset it is in the source's
/// time zone.
/// </summary>
internal static partial class TextTime
{
    // Days above 28 that a month does not have run on into the next: the server's cast would fail for them, and with it the whole query.
    private const string Form =
        "^(?!9999)[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([Tt "
        + "]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,12})?)?( ?([Zz]|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?))?)?$";

    /// <summary>The instant as timestamptz, NULL where the text is none.</summary>
    /// <param name="text">SQL of a text.</param>
    /// <param name="zone">SQL of the zone's name.</param>
    public static string Instant(string text, string zone)
    {
        var first = $"overlay({text} PLACING '01' FROM 9 FOR 2)";
        var days = $"(substr({text}, 9, 2)::int - 1) * interval '24 hours'";
        return $"CASE WHEN {text} ~ '{Form}' THEN CASE WHEN substr({text}, 11) ~ '[Zz+-]' THEN {first}::timestamptz + {days} ELSE "
            + $"({first}::timestamp + {days}) AT TIME ZONE {zone} END END";
    }

    /// <summary>
    /// A text behind those of all older instants, in whatever zone they are written and under every collation: digits alone decide.
    /// </summary>
    public static string Bound(DateTimeOffset instant) =>
        instant.UtcDateTime.Date.AddDays(2).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>An instant as text, in the form that the column's text has now: the application may compare or parse it.</summary>
    /// <param name="text">SQL of the text that it replaces.</param>
    /// <param name="instant">SQL of a timestamptz.</param>
    /// <param name="zone">SQL of the zone's name.</param>
    public static string Of(string text, string instant, string zone)
    {
        var local =
            $"CASE WHEN length({text}) = 10 OR substr({text}, 11) ~ '[0-9]$' AND substr({text}, 11) !~ '[+-]' THEN {instant} AT "
            + $"TIME ZONE {zone} ELSE {instant} AT TIME ZONE 'UTC' END";
        var time =
            $"to_char({local}, CASE WHEN length({text}) = 10 THEN 'YYYY-MM-DD' WHEN substr({text}, 11, 1) = ' ' THEN 'YYYY-MM-DD "
            + "HH24:MI:SS' ELSE 'YYYY-MM-DD\"T\"HH24:MI:SS' END)";
        var fraction =
            $"CASE WHEN {text} ~ '[.][0-9]{{1,3}}([^0-9]|$)' THEN to_char({local}, '.MS') WHEN {text} LIKE '%.%' THEN "
            + $"to_char({local}, '.US') ELSE '' END";
        var offset =
            $"CASE WHEN {text} ~ '[0-9] ?[+-][0-9]{{2}}$' AND length({text}) > 10 THEN '+00' WHEN substr({text}, 11) ~ "
            + $"'[+-][0-9]{{4}}$' THEN '+0000' WHEN substr({text}, 11) ~ '[+-]' THEN '+00:00' WHEN substr({text}, 11) ~ '^.+[0-9]$' OR "
            + $"length({text}) = 10 THEN '' ELSE 'Z' END";
        return $"{time} || {fraction} || {offset}";
    }

    /// <summary>The instant of a value in a document as text that PostgreSQL reads; null where it is none.</summary>
    public static string? Read(string text)
    {
        if (!Pattern().IsMatch(text))
            return null;
        var date = DateOnly
            .ParseExact($"{text[..8]}01", "yyyy-MM-dd", CultureInfo.InvariantCulture)
            .AddDays(int.Parse(text.AsSpan(8, 2), NumberStyles.None, CultureInfo.InvariantCulture) - 1);
        return $"{date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}{text[10..]}";
    }

    [GeneratedRegex(Form)]
    private static partial Regex Pattern();
}

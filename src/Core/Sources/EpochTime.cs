using System.Globalization;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Sources;

/// <summary>
/// Times that are numbers, counted from 1970, with or without a fraction. 0 and below is not set, and what lies beyond the year 9999 is no
/// time. They are compared as the numbers they are, with the cut-off made a number of the column's kind, so that an index on the column
/// serves.
/// </summary>
internal static class EpochTime
{
    /// <summary>Seconds up to the year 10000, where clients have no times.</summary>
    private const long End = 253_402_300_800;

    /// <summary>Whether times of this form are such numbers.</summary>
    public static bool Has(TimeForm form) => form is TimeForm.EpochSeconds or TimeForm.EpochMilliseconds or TimeForm.EpochMicroseconds;

    /// <summary>The instant as timestamptz, NULL where it is not set; no number makes it fail.</summary>
    public static string Instant(TimeForm form, string value)
    {
        var seconds = form == TimeForm.EpochSeconds ? "" : string.Create(CultureInfo.InvariantCulture, $" / {Units(form)}.0");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"to_timestamp(CASE WHEN {value} > 0 AND {value} < {End * Units(form)} THEN {value} END{seconds})"
        );
    }

    /// <summary>The number of an instant; of whole numbers the one below, so that nothing counts as older than it is.</summary>
    public static NpgsqlParameter Number(TimeForm form, ColumnShape column, DateTimeOffset instant)
    {
        var number = (decimal)(instant - DateTimeOffset.UnixEpoch).Ticks * Units(form) / TimeSpan.TicksPerSecond;
        return column.BaseType switch
        {
            "numeric" => PgParameter.Numeric(number),
            "real" or "double precision" => PgParameter.Double((double)number),
            _ => PgParameter.Bigint((long)Math.Floor(number)),
        };
    }

    /// <summary>An instant as a number that the column takes.</summary>
    /// <param name="instant">SQL of a timestamptz.</param>
    public static string Of(TimeForm form, ColumnShape column, string instant)
    {
        var number = string.Create(CultureInfo.InvariantCulture, $"extract(epoch FROM {instant}) * {Units(form)}");
        return column.BaseType is "numeric" or "real" or "double precision"
            ? $"({number})::{column.BaseType}"
            : $"floor({number})::{column.BaseType}";
    }

    /// <summary>The instant of a value in a document, as ISO text; null where it is not set.</summary>
    public static string? Read(TimeForm form, string text) =>
        decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && number > 0
        && number < (decimal)End * Units(form)
            ? Iso(DateTimeOffset.UnixEpoch.AddTicks((long)(number / Units(form) * TimeSpan.TicksPerSecond)))
            : null;

    /// <summary>As PostgreSQL reads it.</summary>
    public static string Iso(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private static long Units(TimeForm form) =>
        form switch
        {
            TimeForm.EpochMilliseconds => 1_000,
            TimeForm.EpochMicroseconds => 1_000_000,
            _ => 1,
        };
}

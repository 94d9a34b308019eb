using System.Globalization;
using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>
/// The times inside UUIDs, in a uuid or a text column: version 7 counts milliseconds since 1970, versions 1 and 6 counts tenths of a
/// microsecond since 1582. Versions 6 and 7 sort by their time; among all three no order is that of time.
/// </summary>
internal static class UuidTime
{
    private const long Epoch1582 = 122_192_928_000_000_000;

    /// <summary>The instant as timestamptz, NULL where the value is no UUID with a time.</summary>
    /// <param name="form">Which versions count.</param>
    /// <param name="value">SQL of a uuid or text.</param>
    public static string Instant(TimeForm form, string value)
    {
        var hex = $"lower(replace({value}::text, '-', ''))";
        var ticks = string.Create(
            CultureInfo.InvariantCulture,
            $"(('x0' || CASE substr({hex}, 13, 1) WHEN '6' THEN substr({hex}, 1, 12) "
                + $"|| substr({hex}, 14, 3) ELSE substr({hex}, 14, 3) || substr({hex}, 9, 4) || substr({hex}, 1, 8) END)::bit(64)::bigint "
                + $"- {Epoch1582}) / 10000000.0"
        );
        // Up to the year 9999, as everywhere: clients have no later times.
        var milliseconds =
            $"CASE WHEN substr({hex}, 1, 12) < 'e677d21fdc00' COLLATE \"C\" THEN ('x' || substr({hex}, 1, "
            + $"12))::bit(48)::bigint / 1000.0 END";
        return $"to_timestamp(nullif(greatest(CASE WHEN {value}::text ~* '{Pattern(form)}' THEN CASE substr({hex}, 13, 1) WHEN '7' THEN "
            + $"{milliseconds} ELSE {ticks} END END, 0), 0))";
    }

    /// <summary>A value behind those of all older instants, as SQL; null for the form of which no order is that of time.</summary>
    public static string? Bound(TimeForm form, ColumnShape column, DateTimeOffset instant)
    {
        long? head = form switch
        {
            TimeForm.UuidV6 => ((instant - DateTimeOffset.UnixEpoch).Ticks + Epoch1582) >> 28,
            TimeForm.UuidV7 => instant.ToUnixTimeMilliseconds() >> 16,
            _ => null,
        };
        var hex = head is { } value ? Math.Clamp(value + 1, 0, uint.MaxValue).ToString("x8", CultureInfo.InvariantCulture) : null;
        // Of a text the first digits alone: it may be written with or without dashes, and in capitals, which sort before.
        return hex is null ? null
            : column.BaseType == "uuid" ? $"'{hex}-0000-0000-0000-000000000000'::uuid"
            : $"'{hex}'";
    }

    /// <summary>The instant of a value in a document, as ISO text; null where it has none.</summary>
    public static string? Read(TimeForm form, string text)
    {
        if (
            !Guid.TryParse(text, out var uuid)
            || (form == TimeForm.UuidV6 && uuid.Version != 6)
            || (form == TimeForm.UuidV7 && uuid.Version != 7)
        )
            return null;
        var hex = uuid.ToString("N");
        long Number(string digits) => long.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        var ticks = uuid.Version switch
        {
            7 => Number(hex[..12]) is var ms and < 253_402_300_800_000 ? ms * TimeSpan.TicksPerMillisecond : 0,
            6 => Number(hex[..12] + hex[13..16]) - Epoch1582,
            1 => Number(hex[13..16] + hex[8..12] + hex[..8]) - Epoch1582,
            _ => 0,
        };
        return ticks <= 0 ? null : EpochTime.Iso(DateTimeOffset.UnixEpoch.AddTicks(ticks));
    }

    private static string Pattern(TimeForm form)
    {
        var versions = form switch
        {
            TimeForm.UuidV6 => "6",
            TimeForm.UuidV7 => "7",
            _ => "[167]",
        };
        return $"^[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{versions}[0-9a-f]{{3}}-?[0-9a-f]{{4}}-?[0-9a-f]{{12}}$";
    }
}

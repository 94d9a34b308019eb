using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;

namespace Archiver.Core.Query;

/// <summary>
/// Reads values in the form of a document (docs/format.md) as DuckDB keeps them. False for what DuckDB cannot hold exactly: a year before
/// Christ, a NaN in a decimal, more digits than its type has.
/// </summary>
internal static class ScalarText
{
    private const long MicrosPerSecond = 1_000_000,
        MicrosPerDay = 86_400 * MicrosPerSecond;

    public static bool TryWhole(ReadOnlySpan<byte> text, out long value) =>
        Utf8Parser.TryParse(text, out value, out var used) && used == text.Length;

    public static bool TryDouble(ReadOnlySpan<byte> text, out double value)
    {
        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
        // .NET's own NaN has a sign, which would be shown.
        value = double.IsNaN(value) ? Math.Abs(value) : value;
        return isNumber;
    }

    public static bool TryFloat(ReadOnlySpan<byte> text, out float value)
    {
        // Parsed as what it is: rounded twice it could be its neighbour.
        var isNumber = float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
        value = float.IsNaN(value) ? MathF.Abs(value) : value;
        return isNumber;
    }

    /// <summary>The digits of a number without exponent, scaled; false where digits would be lost.</summary>
    public static bool TryDecimal(ReadOnlySpan<byte> text, int precision, int scale, out Int128 value)
    {
        value = 0;
        var negative = !text.IsEmpty && text[0] == '-';
        int digits = 0,
            after = -1;
        foreach (var c in text[(negative ? 1 : 0)..])
        {
            if (c == '.' && after < 0)
                after = 0;
            else if (c is < (byte)'0' or > (byte)'9')
                return false;
            else if (after == scale && c != '0')
                return false;
            else if (after != scale)
            {
                value = (value * 10) + (c - '0');
                digits += value == 0 ? 0 : 1;
                after += after < 0 ? 0 : 1;
                if (digits > precision)
                    return false;
            }
        }
        for (var i = Math.Max(after, 0); i < scale; i++)
        {
            value *= 10;
            digits += value == 0 ? 0 : 1;
        }
        value = negative ? -value : value;
        return !text.IsEmpty && digits <= precision;
    }

    /// <summary>Days since 1970-01-01.</summary>
    public static bool TryDate(ReadOnlySpan<byte> text, out int days)
    {
        if (IsInfinite(text, out var negative))
        {
            days = negative ? -int.MaxValue : int.MaxValue;
            return true;
        }
        days = 0;
        var first = text.IndexOf((byte)'-');
        if (
            first is < 4 or > 6
            || text.Length != first + 6
            || text[first + 3] != '-'
            || !TryNumber(text[..first], out var year)
            || !TryNumber(text.Slice(first + 1, 2), out var month)
            || !TryNumber(text[(first + 4)..], out var day)
            || month is < 1 or > 12
        )
        {
            return false;
        }
        // Howard Hinnant's days_from_civil, for years that are not negative.
        var y = month <= 2 ? year - 1 : year;
        var era = y / 400;
        var yoe = y - (era * 400);
        var doy = (((153 * (month + (month > 2 ? -3 : 9))) + 2) / 5) + day - 1;
        days = (era * 146_097) + (yoe * 365) + (yoe / 4) - (yoe / 100) + doy - 719_468;
        return year > 0;
    }

    /// <summary>Microseconds since midnight.</summary>
    public static bool TryTime(ReadOnlySpan<byte> text, out long micros)
    {
        micros = 0;
        if (
            text.Length < 8
            || text[2] != ':'
            || text[5] != ':'
            || !TryNumber(text[..2], out var hours)
            || !TryNumber(text.Slice(3, 2), out var minutes)
            || !TryNumber(text.Slice(6, 2), out var seconds)
        )
        {
            return false;
        }
        var fraction = 0;
        if (text.Length > 8)
        {
            if (text[8] != '.' || text.Length > 15 || text.Length == 9 || !TryNumber(text[9..], out fraction))
                return false;
            for (var i = text.Length - 9; i < 6; i++)
                fraction *= 10;
        }
        micros = (((((hours * 60L) + minutes) * 60) + seconds) * MicrosPerSecond) + fraction;
        return micros <= MicrosPerDay;
    }

    /// <summary>Microseconds since 1970-01-01, of a time that may end with <c>Z</c>.</summary>
    public static bool TryTimestamp(ReadOnlySpan<byte> text, bool zoned, out long micros)
    {
        if (IsInfinite(text, out var negative))
        {
            micros = negative ? -long.MaxValue : long.MaxValue;
            return true;
        }
        micros = 0;
        var t = text.IndexOf((byte)'T');
        var isZoned = text.EndsWith("Z"u8);
        if (
            t < 0
            || isZoned != zoned
            || !TryDate(text[..t], out var days)
            || days >= long.MaxValue / MicrosPerDay
            || !TryTime(text[(t + 1)..^(zoned ? 1 : 0)], out var time)
        )
        {
            return false;
        }
        micros = (days * MicrosPerDay) + time;
        return true;
    }

    /// <summary>As DuckDB keeps it: a number of 128 bits whose sign is turned, so that it sorts like the text.</summary>
    public static bool TryUuid(ReadOnlySpan<byte> text, out ulong lower, out long upper)
    {
        (lower, upper) = (0, 0);
        if (!Utf8Parser.TryParse(text, out Guid uuid, out var used) || used != text.Length)
            return false;
        Span<byte> bytes = stackalloc byte[16];
        uuid.TryWriteBytes(bytes, bigEndian: true, out _);
        upper = BinaryPrimitives.ReadInt64BigEndian(bytes) ^ long.MinValue;
        lower = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        return true;
    }

    private static bool IsInfinite(ReadOnlySpan<byte> text, out bool negative)
    {
        negative = !text.IsEmpty && text[0] == '-';
        return text.SequenceEqual("infinity"u8) || text.SequenceEqual("-infinity"u8);
    }

    private static bool TryNumber(ReadOnlySpan<byte> digits, out int value)
    {
        value = 0;
        foreach (var c in digits)
        {
            if (c is < (byte)'0' or > (byte)'9')
                return false;
            value = (value * 10) + (c - '0');
        }
        return true;
    }
}

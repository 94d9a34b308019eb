using System.Globalization;

namespace Archiver.Core.Postgres;

/// <summary>
/// A timestamptz as the archiver's transactions write it (ISO, UTC), as PostgreSQL's own count, microseconds since 2000, and back. Its
/// range is larger than that of .NET's dates. Infinity is the largest number, -infinity the smallest.
/// </summary>
internal static class InstantText
{
    private const long Second = 1_000_000,
        Day = 86_400 * Second;

    /// <summary>
    /// Days from the first of March of the year 0 to 2000-01-01: years that begin in March have their leap day at the end.
    /// </summary>
    private const long Year2000 = 730_425;

    /// <exception cref="InvalidDataException">The text is no instant, or in another form.</exception>
    public static long Parse(ReadOnlySpan<byte> text)
    {
        if (text is [(byte)'i', ..])
            return long.MaxValue;
        if (text is [(byte)'-', ..])
            return long.MinValue;
        var beforeChrist = text.EndsWith(" BC"u8);
        if (beforeChrist)
            text = text[..^3];
        if (!text.EndsWith("+00"u8))
            throw Wrong();
        text = text[..^3];
        var year = Take(ref text, (byte)'-');
        var days = Days(beforeChrist ? 1 - year : year, Take(ref text, (byte)'-'), Take(ref text, (byte)' '));
        var minutes = (Take(ref text, (byte)':') * 60) + Take(ref text, (byte)':');
        var fraction = text.Length > 3 && text[2] == '.' ? text[3..] : default;
        if (text.Length < 2 || fraction.Length > 6 || (text.Length > 2 && fraction.IsEmpty))
            throw Wrong();
        var microseconds = Digits(fraction);
        for (var place = fraction.Length; place < 6; place++)
            microseconds *= 10;
        return (days * Day) + (((minutes * 60) + Digits(text[..2])) * Second) + microseconds;
    }

    /// <summary>Text that PostgreSQL reads as the same instant, whatever the session's settings.</summary>
    public static string Format(long instant)
    {
        if (instant is long.MaxValue or long.MinValue)
            return instant > 0 ? "infinity" : "-infinity";
        var (days, time) = DivideDown(instant, Day);
        var (year, month, day) = Date(days);
        var clock = new TimeOnly(time * TimeSpan.TicksPerMicrosecond).ToString("HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{(year > 0 ? year : 1 - year):0000}-{month:00}-{day:00} {clock}+00{(year > 0 ? "" : " BC")}"
        );
    }

    /// <summary>Seconds since 1970, as <c>extract(epoch FROM ...)</c> gives them.</summary>
    public static double Epoch(long instant) =>
        instant switch
        {
            long.MaxValue => double.PositiveInfinity,
            long.MinValue => double.NegativeInfinity,
            _ => ((double)instant / Second) + 946_684_800,
        };

    private static long Take(ref ReadOnlySpan<byte> text, byte end)
    {
        var length = text.IndexOf(end);
        if (length < 1)
            throw Wrong();
        var value = Digits(text[..length]);
        text = text[(length + 1)..];
        return value;
    }

    private static long Digits(ReadOnlySpan<byte> text)
    {
        var value = 0L;
        foreach (var c in text)
            value = c is >= (byte)'0' and <= (byte)'9' && value < 10_000_000 ? (value * 10) + c - '0' : throw Wrong();
        return value;
    }

    private static long Days(long year, long month, long day)
    {
        var (fromMarch, shifted) = month > 2 ? (month - 3, year) : (month + 9, year - 1);
        var (centuries, inCenturies) = DivideDown(shifted, 400);
        return (centuries * 146_097)
            + (inCenturies * 365)
            + (inCenturies / 4)
            - (inCenturies / 100)
            + (((153 * fromMarch) + 2) / 5)
            + day
            - 1
            - Year2000;
    }

    private static (long Year, long Month, long Day) Date(long days)
    {
        var (centuries, rest) = DivideDown(days + Year2000, 146_097);
        var year = (rest - (rest / 1_460) + (rest / 36_524) - (rest / 146_096)) / 365;
        rest -= (365 * year) + (year / 4) - (year / 100);
        var fromMarch = ((5 * rest) + 2) / 153;
        var day = rest - (((153 * fromMarch) + 2) / 5) + 1;
        return fromMarch < 10 ? ((centuries * 400) + year, fromMarch + 3, day) : ((centuries * 400) + year + 1, fromMarch - 9, day);
    }

    private static (long Quotient, long Remainder) DivideDown(long value, long by)
    {
        var (quotient, rest) = Math.DivRem(value, by);
        return rest < 0 ? (quotient - 1, rest + by) : (quotient, rest);
    }

    private static InvalidDataException Wrong() =>
        new("COPY data hold an instant in another form than the transaction's settings give it.");
}

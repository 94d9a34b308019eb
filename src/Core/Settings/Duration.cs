using System.Globalization;

namespace Archiver.Core.Settings;

/// <summary>
/// Durations as configuration writes them: a whole number and a unit, <c>90d</c>. A bare number is refused because nobody can tell
/// seconds from days, and <c>1.00:00:00</c> because one misplaced dot turns days into hours; an age here decides what is deleted.
/// </summary>
internal static class Duration
{
    /// <summary>The accepted form, for messages.</summary>
    public const string Form = "a whole number and a unit (ms, s, m, h, d or y), such as 90d";

    // Largest first, so that formatting takes the shortest text. A year is 365 days: ages need a fixed length.
    private static readonly (string Unit, long Ticks)[] Units =
    [
        ("y", 365 * TimeSpan.TicksPerDay),
        ("d", TimeSpan.TicksPerDay),
        ("h", TimeSpan.TicksPerHour),
        ("m", TimeSpan.TicksPerMinute),
        ("s", TimeSpan.TicksPerSecond),
        ("ms", TimeSpan.TicksPerMillisecond),
    ];

    /// <summary>Reads a duration. Signs, blanks, fractions, other units and overflow are refused.</summary>
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = default;
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (digits <= 0 || !long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return false;
        foreach (var (unit, ticks) in Units)
        {
            if (!text.AsSpan(digits).SequenceEqual(unit))
                continue;
            if (number > long.MaxValue / ticks)
                return false;
            duration = new(number * ticks);
            return true;
        }
        return false;
    }

    /// <summary>The shortest exact text without years; <see cref="TryParse"/> reads it back to the same value.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The duration is negative or has parts of a millisecond: no text is exact.</exception>
    public static string Format(TimeSpan duration)
    {
        if (duration < TimeSpan.Zero || duration.Ticks % TimeSpan.TicksPerMillisecond != 0)
            throw new ArgumentOutOfRangeException(nameof(duration), duration, "Only whole milliseconds from zero have a text.");
        if (duration == TimeSpan.Zero)
            return "0s";
        var (unit, ticks) = Units.First(u => u.Unit != "y" && duration.Ticks % u.Ticks == 0);
        return string.Create(CultureInfo.InvariantCulture, $"{duration.Ticks / ticks}{unit}");
    }
}

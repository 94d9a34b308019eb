using System.Globalization;

namespace Archiver.Core.Settings;

/// <summary>The pause after a batch: a fixed time, or a factor of the time for which the batch kept the database busy.</summary>
/// <param name="Time">The fixed time.</param>
/// <param name="Factor">1 for as long as the batch was at work; 0 where the time is fixed.</param>
public readonly record struct BatchPause(TimeSpan Time, double Factor = 0)
{
    /// <summary>The accepted form, for messages.</summary>
    internal const string Form = $"{Duration.Form}, or a factor of the last batch's time, such as 1x or 0.5x, at most 100x";

    private const double LargestFactor = 100;

    /// <summary>No timer holds more than 49 days.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromDays(24);

    /// <summary>How long to wait after a batch.</summary>
    public TimeSpan After(TimeSpan busy) => Time + (busy * Factor) is var pause && pause < Longest ? pause : Longest;

    /// <summary>Reads a duration, or a factor such as 1x; false for what is neither.</summary>
    internal static bool TryParse(string text, out BatchPause pause)
    {
        pause = default;
        if (Duration.TryParse(text, out var time))
        {
            pause = new(time);
            return true;
        }
        if (
            !text.EndsWith('x')
            || !double.TryParse(text.AsSpan()[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var factor)
            || factor is not (>= 0 and <= LargestFactor)
        )
            return false;
        pause = new(TimeSpan.Zero, factor);
        return true;
    }
}

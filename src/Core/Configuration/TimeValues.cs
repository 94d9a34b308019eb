using System.Runtime.CompilerServices;
using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Durations, pauses and time zones of a section.</summary>
internal static class TimeValues
{
    /// <summary>A duration above zero, or from zero where that makes sense.</summary>
    public static TimeSpan? Duration(
        this ValueReader read,
        string? raw,
        TimeSpan longest,
        bool zeroAllowed = false,
        [CallerArgumentExpression(nameof(raw))] string key = ""
    )
    {
        if (raw is null)
            return null;
        if (!Settings.Duration.TryParse(raw, out var duration))
            read.Bad(key, raw, Settings.Duration.Form);
        else if (duration == TimeSpan.Zero && !zeroAllowed)
            read.Bad(key, raw, "above zero");
        else if (duration > longest)
            read.Bad(key, raw, $"at most {(longest == ValueReader.LongestAge ? "1000y" : Settings.Duration.Format(longest))}");
        else
            return duration;
        return null;
    }

    /// <summary>A duration or a factor, from zero.</summary>
    public static BatchPause? Pause(this ValueReader read, string? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
    {
        if (raw is null)
            return null;
        if (!BatchPause.TryParse(raw, out var pause))
            read.Bad(key, raw, BatchPause.Form);
        else if (pause.Time > BatchPause.Longest)
            read.Bad(key, raw, $"at most {Settings.Duration.Format(BatchPause.Longest)}");
        else
            return pause;
        return null;
    }

    /// <summary>A time zone of the system's database.</summary>
    public static TimeZoneInfo? Zone(this ValueReader read, string? raw, [CallerArgumentExpression(nameof(raw))] string key = "")
    {
        if (raw is null)
            return null;
        if (raw.Length > 0 && TimeZoneInfo.TryFindSystemTimeZoneById(raw, out var zone))
            return zone;
        read.Bad(key, raw, "a time zone of this system, such as UTC or Europe/Berlin");
        return null;
    }
}

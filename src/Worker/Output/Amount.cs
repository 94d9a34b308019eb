using System.Globalization;
using Archiver.Core.Diagnostics;

namespace Archiver.Worker.Output;

/// <summary>Numbers as people read them.</summary>
internal static class Amount
{
    private static readonly string[] Units = ["kB", "MB", "GB", "TB", "PB"];

    /// <summary><c>1 session</c>, <c>2000 sessions</c>.</summary>
    public static string Of(long count, string one) => Counted.Of(count, one);

    /// <summary><c>812 B</c>, <c>3.1 MB</c>.</summary>
    public static string Bytes(long bytes)
    {
        if (bytes < 1000)
            return string.Create(CultureInfo.InvariantCulture, $"{bytes} B");
        var value = (double)bytes;
        var unit = -1;
        while (value >= 999.95 && unit < Units.Length - 1)
        {
            value /= 1000;
            unit++;
        }
        return string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {Units[unit]}");
    }

    /// <summary><c>412 days</c>, or hours below two days.</summary>
    public static string Age(TimeSpan age) =>
        age < TimeSpan.FromDays(2) ? Of((long)age.TotalHours, "hour") : Of((long)age.TotalDays, "day");

    /// <summary><c>4.2 s</c>.</summary>
    public static string Seconds(TimeSpan elapsed) => string.Create(CultureInfo.InvariantCulture, $"{elapsed.TotalSeconds:0.0} s");
}

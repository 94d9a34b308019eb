using System.Globalization;

namespace Archiver.Core.Configuration;

/// <summary>Sizes as configuration writes them: a whole number and a unit, decimal (<c>10MB</c>) or binary (<c>64MiB</c>).</summary>
internal static class ByteSize
{
    /// <summary>The accepted form, for messages.</summary>
    public const string Form = "a whole number and a unit (B, kB, MB, GB, KiB, MiB or GiB), such as 64MiB";

    // Largest first, so that formatting takes the shortest text.
    private static readonly (string Unit, long Bytes)[] Units =
    [
        ("GiB", 1L << 30),
        ("GB", 1_000_000_000),
        ("MiB", 1L << 20),
        ("MB", 1_000_000),
        ("KiB", 1L << 10),
        ("kB", 1000),
        ("B", 1),
    ];

    /// <summary>Reads a size. Signs, blanks, fractions, other units and what a long cannot hold are refused.</summary>
    public static bool TryParse(string? text, out long bytes)
    {
        bytes = 0;
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (digits <= 0 || !long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return false;
        foreach (var (unit, size) in Units)
        {
            if (!text.AsSpan(digits).SequenceEqual(unit))
                continue;
            if (number > long.MaxValue / size)
                return false;
            bytes = number * size;
            return true;
        }
        return false;
    }

    /// <summary>The exact text in the largest unit that divides the size; <see cref="TryParse"/> reads it back to the same value.</summary>
    public static string Format(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        var (unit, size) = bytes == 0 ? ("B", 1) : Units.First(u => bytes % u.Bytes == 0);
        return string.Create(CultureInfo.InvariantCulture, $"{bytes / size}{unit}");
    }
}

using System.Globalization;

namespace Archiver.Core.Settings;

/// <summary>How many archives one scheduled proof reads: a number, or a share of all that grows with them.</summary>
public readonly record struct SampleSize
{
    /// <summary>For messages.</summary>
    public const string Form = "a number of archives from 1 to 2147483647, such as 1000, or a share of all, such as 5%";

    private readonly int _count;
    private readonly decimal _percent;

    private SampleSize(int count, decimal percent) => (_count, _percent) = (count, percent);

    /// <summary>So many.</summary>
    public static SampleSize Of(int count) => new(count, 0);

    /// <summary>Reads <c>1000</c> or <c>5%</c>; a share is above 0 and at most 100.</summary>
    public static bool TryParse(string text, out SampleSize size)
    {
        ArgumentNullException.ThrowIfNull(text);
        size = default;
        if (text.EndsWith('%'))
        {
            if (
                !decimal.TryParse(
                    text.AsSpan(0, text.Length - 1),
                    NumberStyles.AllowDecimalPoint,
                    CultureInfo.InvariantCulture,
                    out var percent
                ) || percent is <= 0 or > 100
            )
                return false;
            size = new(0, percent);
            return true;
        }
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count == 0)
            return false;
        size = new(count, 0);
        return true;
    }

    /// <summary>Archives to read of so many; a share of any is at least one.</summary>
    public long From(long all) => _percent == 0 ? _count : (long)Math.Ceiling(all * _percent / 100);
}

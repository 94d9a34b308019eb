using System.Globalization;
using Archiver.Core.Settings;

namespace Archiver.Core.Configuration;

/// <summary>Section <c>Cost</c> as written: what the store asks for, to show what the archive costs.</summary>
internal sealed class CostOptions
{
    public string? PricePerGBMonth { get; set; }

    public string? PricePer1000Requests { get; set; }

    public string? Currency { get; set; }

    public CostSettings Read(ValueReader read) =>
        new()
        {
            PricePerGBMonth = ReadPrice(read, PricePerGBMonth, nameof(PricePerGBMonth)),
            PricePer1000Requests = ReadPrice(read, PricePer1000Requests, nameof(PricePer1000Requests)),
            Currency = read.Text(Currency) ?? new CostSettings().Currency,
        };

    private static decimal? ReadPrice(ValueReader read, string? raw, string key)
    {
        if (raw is null)
            return null;
        if (
            decimal.TryParse(raw, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var price)
            && price is > 0 and <= 1_000_000
        )
            return price;
        read.Bad(key, raw, "a number above 0 and at most 1000000, such as 0.023");
        return null;
    }
}

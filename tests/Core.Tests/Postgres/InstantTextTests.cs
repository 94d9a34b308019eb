using System.Text;
using Archiver.Core.Postgres;

namespace Archiver.Core.Tests.Postgres;

public sealed class InstantTextTests
{
    [Theory]
    [InlineData("2000-01-01 00:00:00+00", 0L, "2000-01-01 00:00:00.000000+00")]
    [InlineData("2026-11-29 17:05:03.25+00", 849_287_103_250_000L, "2026-11-29 17:05:03.250000+00")]
    [InlineData("1999-12-31 23:59:59.999999+00", -1L, "1999-12-31 23:59:59.999999+00")]
    [InlineData("2024-02-29 12:00:00+00", 762_523_200_000_000L, "2024-02-29 12:00:00.000000+00")]
    [InlineData("1900-03-01 00:00:00+00", -3_150_576_000_000_000L, "1900-03-01 00:00:00.000000+00")]
    [InlineData("0001-01-01 00:00:00+00", -63_082_281_600_000_000L, "0001-01-01 00:00:00.000000+00")]
    [InlineData("0001-12-31 00:00:00+00 BC", -63_082_368_000_000_000L, "0001-12-31 00:00:00.000000+00 BC")]
    [InlineData("4714-11-24 00:00:00+00 BC", -211_813_488_000_000_000L, "4714-11-24 00:00:00.000000+00 BC")]
    [InlineData("294276-12-31 23:59:59.999999+00", 9_223_371_331_199_999_999L, "294276-12-31 23:59:59.999999+00")]
    [InlineData("infinity", long.MaxValue, "infinity")]
    [InlineData("-infinity", long.MinValue, "-infinity")]
    public void Counts_as_PostgreSQL_does_and_writes_what_it_reads(string text, long expected, string written)
    {
        Assert.Equal(expected, InstantText.Parse(Encoding.ASCII.GetBytes(text)));
        Assert.Equal(written, InstantText.Format(expected));
    }

    [Fact]
    public void Comes_back_from_its_own_text_whenever_it_is()
    {
        var random = new Random(22);
        for (var i = 0; i < 20_000; i++)
        {
            var instant = random.NextInt64(-211_813_488_000_000_000, 9_223_371_331_200_000_000);
            Assert.Equal(instant, InstantText.Parse(Encoding.ASCII.GetBytes(InstantText.Format(instant))));
        }
    }

    [Theory]
    [InlineData("2026-11-29 17:05:03")]
    [InlineData("2026-11-29 17:05:03+01")]
    [InlineData("2026-11-29T17:05:03+00")]
    [InlineData("2026-11-29 17:05:03.+00")]
    [InlineData("2026-11-29 17:05:03.1234567+00")]
    [InlineData("29.11.2026 17:05:03+00")]
    [InlineData("")]
    public void Refuses_what_other_settings_would_write(string text) =>
        Assert.Throws<InvalidDataException>(() => InstantText.Parse(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Counts_the_seconds_of_an_epoch()
    {
        Assert.Equal(946_684_800.5, InstantText.Epoch(500_000));
        Assert.Equal(
            (double.PositiveInfinity, double.NegativeInfinity),
            (InstantText.Epoch(long.MaxValue), InstantText.Epoch(long.MinValue))
        );
    }
}

using Archiver.Core.Settings;
using CsCheck;

namespace Archiver.Core.Tests.Policies;

public sealed class DurationTests
{
    [Theory]
    [InlineData("250ms", 250L)]
    [InlineData("30s", 30_000L)]
    [InlineData("60m", 3_600_000L)]
    [InlineData("12h", 43_200_000L)]
    [InlineData("90d", 7_776_000_000L)]
    [InlineData("7y", 7L * 365 * 86_400_000)]
    [InlineData("0s", 0L)]
    [InlineData("0d", 0L)]
    public void Reads_a_number_and_a_unit(string text, long milliseconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), duration);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("90")]
    [InlineData("d")]
    [InlineData("1.00:00:00")]
    [InlineData("90x")]
    [InlineData("-1d")]
    [InlineData("+1d")]
    [InlineData(" 90d")]
    [InlineData("90d ")]
    [InlineData("90 d")]
    [InlineData("90D")]
    [InlineData("5M")]
    [InlineData("1.5d")]
    [InlineData("1d12h")]
    [InlineData("٣d")]
    [InlineData("10675200d")]
    [InlineData("99999999999999999999d")]
    public void Refuses_everything_else(string? text) => Assert.False(Duration.TryParse(text, out _));

    [Fact]
    public void Reads_up_to_the_last_duration_that_fits() => Assert.True(Duration.TryParse("10675199d", out _));

    [Theory]
    [InlineData("0s")]
    [InlineData("250ms")]
    [InlineData("90s")]
    [InlineData("90m")]
    [InlineData("36h")]
    [InlineData("365d")]
    [InlineData("10675199d")]
    public void Formats_the_shortest_exact_text(string text)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(text, Duration.Format(duration));
    }

    [Fact]
    public void Reads_back_whatever_it_formats() =>
        Gen.Long[0, TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMillisecond]
            .Sample(
                milliseconds =>
                {
                    var duration = TimeSpan.FromMilliseconds(milliseconds);
                    Assert.Equal(duration, Read(Duration.Format(duration)));
                },
                iter: 10_000
            );

    [Fact]
    public void Reads_a_number_times_its_unit_or_refuses_what_no_duration_holds()
    {
        (string Unit, long Ticks)[] units =
        [
            ("ms", TimeSpan.TicksPerMillisecond),
            ("s", TimeSpan.TicksPerSecond),
            ("m", TimeSpan.TicksPerMinute),
            ("h", TimeSpan.TicksPerHour),
            ("d", TimeSpan.TicksPerDay),
            ("y", 365 * TimeSpan.TicksPerDay),
        ];
        Gen.Select(Gen.OneOf(units), Gen.OneOf(Gen.Long[0, 100_000], Gen.Long[0, long.MaxValue]))
            .Sample(
                (unit, number) =>
                {
                    var exact = (Int128)number * unit.Ticks;
                    Assert.Equal(exact > long.MaxValue ? null : new TimeSpan((long)exact), Read($"{number}{unit.Unit}"));
                },
                iter: 10_000
            );
    }

    [Theory]
    [InlineData(-TimeSpan.TicksPerDay)]
    [InlineData(1)]
    public void Formats_nothing_that_it_could_not_read_back(long ticks) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Duration.Format(new TimeSpan(ticks)));

    private static TimeSpan? Read(string text) => Duration.TryParse(text, out var duration) ? duration : null;
}

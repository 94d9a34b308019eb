using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Tests.Sources;

/// <summary>What a ledger is rebuilt from: the times of a document's rows, whatever form the application gave them.</summary>
public sealed class TimeValueTests
{
    [Theory]
    [InlineData(TimeForm.EpochSeconds, "1732886400", "2024-11-29T13:20:00.000000Z")]
    [InlineData(TimeForm.EpochSeconds, "1732886400.123456", "2024-11-29T13:20:00.123456Z")]
    [InlineData(TimeForm.EpochMilliseconds, "1.732886400123e+12", "2024-11-29T13:20:00.123000Z")]
    [InlineData(TimeForm.EpochMicroseconds, "1732886400123456", "2024-11-29T13:20:00.123456Z")]
    [InlineData(TimeForm.EpochSeconds, "0", null)]
    [InlineData(TimeForm.EpochSeconds, "-1", null)]
    [InlineData(TimeForm.EpochSeconds, "NaN", null)]
    [InlineData(TimeForm.EpochSeconds, "1e300", null)]
    [InlineData(TimeForm.Text, "2024-11-29T13:20:00.123Z", "2024-11-29T13:20:00.123Z")]
    [InlineData(TimeForm.Text, "2024-02-31 01:00", "2024-03-02 01:00")]
    [InlineData(TimeForm.Text, "", null)]
    [InlineData(TimeForm.Text, "9999-12-31", null)]
    [InlineData(TimeForm.Text, "yesterday", null)]
    [InlineData(TimeForm.Uuid, "C232AB00-9414-11EC-B3C8-9F6BDECED846", "2022-02-22T19:22:22.000000Z")]
    [InlineData(TimeForm.Uuid, "1EC9414C-232A-6B00-B3C8-9F6BDECED846", "2022-02-22T19:22:22.000000Z")]
    [InlineData(TimeForm.Uuid, "017F22E2-79B0-7CC3-98C4-DC0C0C07398F", "2022-02-22T19:22:22.000000Z")]
    [InlineData(TimeForm.UuidV7, "017f22e279b07cc398c4dc0c0c07398f", "2022-02-22T19:22:22.000000Z")]
    [InlineData(TimeForm.UuidV7, "1EC9414C-232A-6B00-B3C8-9F6BDECED846", null)]
    [InlineData(TimeForm.Uuid, "919108f7-52d1-4320-9bac-f847db4148a8", null)]
    [InlineData(TimeForm.Uuid, "ffffffff-ffff-7fff-bfff-ffffffffffff", null)]
    [InlineData(TimeForm.Timestamp, "infinity", "infinity")]
    public void Reads_a_time_of_each_form(TimeForm form, string text, string? expected) =>
        Assert.Equal(expected, TimeValue.Of(new("t") { As = form }, c => c == "t" ? text : null));

    [Fact]
    public void Falls_back_where_it_is_not_set_and_asks_a_flag_first()
    {
        var values = new Dictionary<string, string?>
        {
            ["a"] = "0",
            ["b"] = "1732886400",
            ["yes"] = "true",
            ["no"] = "false",
        };

        Assert.Equal(
            "2024-11-29T13:20:00.000000Z",
            TimeValue.Of(new("a") { As = TimeForm.EpochSeconds, Or = "b" }, values.GetValueOrDefault)
        );
        Assert.Equal(
            "2024-11-29T13:20:00.000000Z",
            TimeValue.Of(new("yes") { As = TimeForm.EpochSeconds, At = "b" }, values.GetValueOrDefault)
        );
        Assert.Null(TimeValue.Of(new("no") { As = TimeForm.EpochSeconds, At = "b" }, values.GetValueOrDefault));
    }
}

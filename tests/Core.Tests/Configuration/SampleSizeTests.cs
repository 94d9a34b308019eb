using Archiver.Core.Settings;
using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

public sealed class SampleSizeTests
{
    [Theory]
    [InlineData("1", 10, 1)]
    [InlineData("1000", 10, 1000)]
    [InlineData("5%", 1000, 50)]
    [InlineData("5%", 1001, 51)]
    [InlineData("0.1%", 10, 1)]
    [InlineData("100%", 12, 12)]
    [InlineData("5%", 0, 0)]
    public void Is_a_number_or_a_share_that_grows_with_the_archive(string text, long all, long expected) =>
        Assert.Equal(expected, With("Schedule:VerifySample", text).Settings().Schedule.VerifySample.From(all));

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("0%")]
    [InlineData("101%")]
    [InlineData("0.5")]
    [InlineData("%")]
    [InlineData("five")]
    [InlineData("2147483648")]
    [InlineData("")]
    public void Refuses_what_is_neither(string text) =>
        With("Schedule:RestoreDrillSample", text).Refused($"Schedule:RestoreDrillSample: must be {SampleSize.Form}, but is '{text}'");

    [Theory]
    [InlineData("Schedule:Verify")]
    [InlineData("Schedule:RestoreDrill")]
    [InlineData("Schedule:Reconcile")]
    public void Refuses_a_cron_expression_of_a_proof_that_the_scheduler_would(string key)
    {
        With(key, "").Refused($"{key}: must not be empty");
        Assert.Equal(
            [$"{key}: is no time: 7 (value 'nightly')"],
            With(key, "nightly").Problems(cron => cron == "nightly" ? $"is no time: {cron.Length}" : null)
        );
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("0,023")]
    [InlineData("$1")]
    public void Refuses_a_price_that_is_none(string text) =>
        With("Cost:PricePerGBMonth", text)
            .Refused($"Cost:PricePerGBMonth: must be a number above 0 and at most 1000000, such as 0.023, but is '{text}'");
}

using Archiver.Core.Settings;
using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

public sealed class LimitRulesTests
{
    [Theory]
    [InlineData("Batch:Sessions")]
    [InlineData("Batch:Rows")]
    [InlineData("Batch:InFlight")]
    [InlineData("Batch:MaxActive")]
    [InlineData("Retry:MaxAttempts")]
    [InlineData("Schedule:Shards")]
    public void Refuses_a_count_of_zero(string key) =>
        With(key, "0").Refused($"{key}: must be a whole number from 1 to 2147483647, but is '0'");

    [Theory]
    [InlineData("Batch:StatementTimeout")]
    [InlineData("Batch:LockTimeout")]
    [InlineData("Batch:MaxReplicationLag")]
    [InlineData("Retry:Budget")]
    [InlineData("Safety:ReconcileAge")]
    [InlineData("Discard:After")]
    [InlineData("Discard:Notice")]
    public void Refuses_a_time_of_zero(string key) => With(key, "0s").Refused($"{key}: must be above zero, but is '0s'");

    [Fact]
    public void Takes_no_pause() => Assert.Equal(default, With("Batch:Pause", "0s").Settings().Batch.Pause);

    [Theory]
    [InlineData("1x", 1)]
    [InlineData("0.5x", 0.5)]
    [InlineData("0x", 0)]
    [InlineData("100x", 100)]
    public void Takes_a_pause_as_a_factor(string value, double factor) =>
        Assert.Equal(new(TimeSpan.Zero, factor), With("Batch:Pause", value).Settings().Batch.Pause);

    [Theory]
    [InlineData("x")]
    [InlineData("-1x")]
    [InlineData("101x")]
    [InlineData("1 x")]
    [InlineData("NaNx")]
    [InlineData("1e3x")]
    [InlineData("2")]
    public void Refuses_a_pause_that_is_neither_time_nor_factor(string value) =>
        With("Batch:Pause", value)
            .Refused(
                "Batch:Pause: must be a whole number and a unit (ms, s, m, h, d or y), such as 90d, or a factor of the last batch's time, "
                    + $"such as 1x or 0.5x, at most 100x, but is '{value}'"
            );

    [Theory]
    [InlineData("Batch:Bytes")]
    [InlineData("Growth:SessionsTable")]
    [InlineData("Growth:MessagesTable")]
    public void Refuses_a_size_of_zero(string key) => With(key, "0B").Refused($"{key}: must be above zero, but is '0B'");

    [Theory]
    [InlineData("Batch:Pause")]
    [InlineData("Batch:StatementTimeout")]
    [InlineData("Batch:LockTimeout")]
    [InlineData("Storage:Timeout")]
    public void Refuses_a_wait_that_no_timer_can_hold(string key) => With(key, "30d").Refused($"{key}: must be at most 24d, but is '30d'");

    [Theory]
    [InlineData("0")]
    [InlineData("1.01")]
    [InlineData("25")]
    [InlineData("-0.1")]
    [InlineData("25%")]
    [InlineData("0,25")]
    [InlineData("NaN")]
    [InlineData("")]
    public void Refuses_a_share_that_is_none(string value) =>
        With("Safety:MaxShare", value).Refused($"Safety:MaxShare: must be a number above 0 and at most 1, such as 0.25, but is '{value}'");

    [Theory]
    [InlineData("1", 1)]
    [InlineData("0.001", 0.001)]
    [InlineData("5E-1", 0.5)]
    public void Takes_a_share_up_to_all(string value, double share) =>
        Assert.Equal(share, With("Safety:MaxShare", value).Settings().Safety.MaxShare);

    [Fact]
    public void Refuses_a_flag_that_is_none() => With("AutoMigrate", "maybe").Refused("AutoMigrate: must be true or false, but is 'maybe'");

    [Fact]
    public void Reads_every_value()
    {
        var settings = Json(
                """
                { "Sources": { "main": { "ConnectionString": "Host=db", "Preset": "ended-at" } }, "Storage": { "Bucket": "b" },
                  "Batch": { "Sessions": 1, "Rows": 2, "Bytes": "3kB", "InFlight": 4, "Pause": "5ms", "StatementTimeout": "6s",
                    "LockTimeout": "7ms", "MaxReplicationLag": "8s", "MaxActive": 9 },
                  "Retry": { "MaxAttempts": 9, "Budget": "10m" }, "Safety": { "MaxShare": 0.5, "ReconcileAge": "11h" },
                  "Schedule": { "TimeZone": "Europe/Berlin", "Clustered": true, "Shards": 12 },
                    "Discard": { "After": "7y", "Notice": "13d" },
                  "Growth": { "SessionsTable": "14MB", "MessagesTable": "15GB" },
                    "Http": { "Urls": "http://*:1", "ApiKey": "0123456789abcdef", "MetricsKey": "fedcba9876543210" }, "AutoMigrate": false }
                """
            )
            .Settings();

        Assert.Equal(
            new ArchiverSettings
            {
                Sources = settings.Sources,
                Storage = new() { Bucket = "b" },
                Batch = new()
                {
                    Sessions = 1,
                    Rows = 2,
                    Bytes = 3000,
                    InFlight = 4,
                    Pause = new(TimeSpan.FromMilliseconds(5)),
                    StatementTimeout = TimeSpan.FromSeconds(6),
                    LockTimeout = TimeSpan.FromMilliseconds(7),
                    MaxReplicationLag = TimeSpan.FromSeconds(8),
                    MaxActive = 9,
                },
                Retry = new() { MaxAttempts = 9, Budget = TimeSpan.FromMinutes(10) },
                Safety = new() { MaxShare = 0.5, ReconcileAge = TimeSpan.FromHours(11) },
                Schedule = new()
                {
                    TimeZone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"),
                    Clustered = true,
                    Shards = 12,
                },
                Discard = new() { After = TimeSpan.FromDays(7 * 365), Notice = TimeSpan.FromDays(13) },
                Growth = new() { SessionsTable = 14_000_000, MessagesTable = 15_000_000_000 },
                Http = new()
                {
                    Urls = "http://*:1",
                    ApiKey = "0123456789abcdef",
                    MetricsKey = "fedcba9876543210",
                },
                AutoMigrate = false,
            },
            settings
        );
    }

    [Fact]
    public void Fills_in_the_defaults_for_what_is_absent_or_null()
    {
        var settings = Json(
                """
                { "Sources": { "main": { "ConnectionString": "Host=db", "Preset": "ended-at", "Keep": null, "Tables": null,
                  "TimeZone": null } },
                  "Storage": { "Bucket": "b", "Region": null, "SecretKey": null, "Timeout": null }, "Batch": { "Rows": null }, "Retry": {},
                    "Safety": null }
                """
            )
            .Settings();

        Assert.Equal(
            new ArchiverSettings
            {
                Sources = settings.Sources,
                Storage = new StorageSettings { Bucket = "b" },
            },
            settings
        );
        Assert.Equal("UTC", settings.Sources[0].TimeZone);
        Assert.Empty(settings.Sources[0].Keep);
    }
}

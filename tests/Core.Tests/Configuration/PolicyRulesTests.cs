using Archiver.Core.Settings;
using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

public sealed class PolicyRulesTests
{
    [Fact]
    public void Refuses_a_policy_without_any_age() =>
        With(PolicyKey + "IdleFor", null)
            .Refused(
                $"{FirstPolicy.Path}:IdleFor: is required unless EndedFor, DeletedFor or ExpiredFor is given; there is no default age"
            );

    [Theory]
    [InlineData("EndedFor", "ended-at")]
    [InlineData("ExpiredFor", "last-accessed")]
    [InlineData("DeletedFor", "soft-delete")]
    public void Takes_any_other_age_instead(string key, string preset) =>
        With(PolicyKey + "IdleFor", null).And(SourceKey + "Preset", preset).And(PolicyKey + key, "90d").Settings();

    [Theory]
    [InlineData("Action", "Remove", "Archive, Purge, Expire")]
    [InlineData("Action", "0", "Archive, Purge, Expire")]
    [InlineData("Action", "Archive,Purge", "Archive, Purge, Expire")]
    [InlineData("Action", "", "Archive, Purge, Expire")]
    [InlineData("Scope", "Rows", "Sessions, Messages")]
    [InlineData("Delete", "Never", "Session, Nothing")]
    public void Refuses_an_unknown_word_and_lists_the_known(string key, string value, string known) =>
        With(PolicyKey + key, value).Refused($"{FirstPolicy.Path}:{key}: must be one of {known}, but is '{value}'");

    [Fact]
    public void Takes_words_in_any_case() =>
        Assert.Equal(DeleteMode.Nothing, With(PolicyKey + "Delete", "nothing").Settings().Sources[0].Policies[0].Delete);

    [Theory]
    [InlineData("IdleFor", "ended-at")]
    [InlineData("EndedFor", "ended-at")]
    [InlineData("DeletedFor", "soft-delete")]
    [InlineData("MaxDuration", "ended-at")]
    public void Refuses_zero_where_it_would_mean_everything(string key, string preset) =>
        With(PolicyKey + key, "0d").And(SourceKey + "Preset", preset).Refused($"{FirstPolicy.Path}:{key}: must be above zero, but is '0d'");

    [Theory]
    [InlineData("ExpiredFor", "last-accessed")]
    [InlineData("DeleteAfter", "ended-at")]
    [InlineData("RestoreGrace", "ended-at")]
    public void Takes_zero_where_it_means_at_once(string key, string preset) =>
        With(PolicyKey + key, "0s").And(SourceKey + "Preset", preset).Settings();

    [Theory]
    [InlineData("IdleFor", "90")]
    [InlineData("EndedFor", "1.00:00:00")]
    [InlineData("DeleteAfter", "")]
    [InlineData("RestoreGrace", "-1d")]
    [InlineData("MaxDuration", "1 h")]
    public void Refuses_what_is_no_duration(string key, string value) =>
        With(PolicyKey + key, value).Refused($"{FirstPolicy.Path}:{key}: {FirstPolicy.DurationForm}, but is '{value}'");

    [Fact]
    public void Refuses_an_age_that_leaves_the_calendar() =>
        With(PolicyKey + "IdleFor", "1001y").Refused($"{FirstPolicy.Path}:IdleFor: must be at most 1000y, but is '1001y'");

    [Fact]
    public void Refuses_a_duration_that_no_timer_can_wait() =>
        With(PolicyKey + "MaxDuration", "25d").Refused($"{FirstPolicy.Path}:MaxDuration: must be at most 24d, but is '25d'");

    [Theory]
    [InlineData("EndedFor", "90d", "soft-delete", "Ended")]
    [InlineData("DeletedFor", "90d", "ended-at", "Deleted")]
    [InlineData("ExpiredFor", "90d", "ended-at", "Expires")]
    [InlineData("Status:0", "active", "ended-at", "Status")]
    public void Refuses_a_condition_on_a_role_that_is_not_mapped(string key, string value, string preset, string role) =>
        With(PolicyKey + key, value)
            .And(SourceKey + "Preset", preset)
            .Refused($"{FirstPolicy.Path}:{key.Split(':')[0]}: needs the role {role}, which the source does not map");

    [Fact]
    public void Refuses_an_empty_status() =>
        With(SourceKey + "Preset", "status-expiry")
            .And(PolicyKey + "Status:0", "")
            .Refused($"{FirstPolicy.Path}:Status:0: must not be empty");

    /// <summary>An empty list of JSON arrives as an empty text. Taken for no condition, it would choose every session.</summary>
    [Fact]
    public void An_empty_list_of_statuses_is_refused() =>
        With(SourceKey + "Preset", "status-expiry")
            .And(PolicyKey + "Status", "")
            .Refused($"{FirstPolicy.Path}:Status: must list at least one status: a list without any would not choose");

    [Theory]
    [InlineData("MaxSessions", "0", "a whole number from 1 to 2147483647")]
    [InlineData("MaxSessions", "-1", "a whole number from 1 to 2147483647")]
    [InlineData("MaxSessions", "1.5", "a whole number from 1 to 2147483647")]
    [InlineData("Order", "first", "a whole number")]
    [InlineData("DryRun", "yes", "true or false")]
    [InlineData("Paused", "1", "true or false")]
    public void Refuses_what_is_no_such_value(string key, string value, string limit) =>
        With(PolicyKey + key, value).Refused($"{FirstPolicy.Path}:{key}: must be {limit}, but is '{value}'");

    [Theory]
    [InlineData("Where")]
    [InlineData("Cron")]
    public void Refuses_an_empty_text(string key) => With(PolicyKey + key, " ").Refused($"{FirstPolicy.Path}:{key}: must not be empty");

    [Fact]
    public void Asks_the_scheduler_about_cron_expressions() =>
        Assert.Equal(
            [$"{FirstPolicy.Path}:Cron: must have 6 or 7 fields (value '* * *')"],
            With(PolicyKey + "Cron", "* * *").Problems(cron => cron == "* * *" ? "must have 6 or 7 fields" : null)
        );

    [Theory]
    [InlineData("a/b")]
    [InlineData(" idle")]
    [InlineData("id\u0007le")]
    public void Refuses_a_name_that_cannot_be_typed_as_source_and_policy(string name) =>
        Assert.Contains(
            With($"Sources:main:Policies:{name}:IdleFor", "90d").And($"Sources:main:Policies:{name}:Action", "Archive").Problems(),
            p => p.EndsWith(": is not a name: no slash, no control character, no blank at its ends", StringComparison.Ordinal)
        );

    [Fact]
    public void Sorts_policies_by_order_and_then_name()
    {
        var settings = SourceJson(
                """
                { "ConnectionString": "Host=db", "Preset": "ended-at", "Policies": {
                    "a": { "Action": "Archive", "IdleFor": "90d", "Order": 1 }, "d": { "Action": "Archive", "IdleFor": "90d" },
                    "c": { "Action": "Archive", "IdleFor": "90d" }, "b": { "Action": "Archive", "IdleFor": "90d", "Order": -1 } } }
                """
            )
            .Settings();

        Assert.Equal(["b", "c", "d", "a"], settings.Sources[0].Policies.Select(p => p.Name));
    }

    [Fact]
    public void Refuses_a_policy_that_is_null_like_an_empty_one() =>
        Assert.Equal(
            [
                $"{FirstPolicy.Path}:Action: is required: one of Archive, Purge, Expire",
                $"{FirstPolicy.Path}:IdleFor: is required unless EndedFor, DeletedFor or ExpiredFor is given; there is no default age",
            ],
            SourceJson("""{ "ConnectionString": "Host=db", "Preset": "ended-at", "Policies": { "idle": null } }""").Problems()
        );
}

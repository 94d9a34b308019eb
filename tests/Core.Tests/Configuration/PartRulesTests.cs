using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

/// <summary>Policies with <c>Action: Archive</c> and <c>Scope: Messages</c>.</summary>
public sealed class PartRulesTests
{
    private const string Path = "Sources:main:Policies:idle";

    [Theory]
    [InlineData("MessagesOlderThan", "90d")]
    [InlineData("KeepLast", "50")]
    public void Takes_either_option(string key, string value)
    {
        var policy = Parts(key, value).Settings().Sources[0].Policies[0];

        Assert.True(policy.TakesParts);
    }

    [Fact]
    public void Refuses_a_policy_with_neither() =>
        With(PolicyKey + "IdleFor", null)
            .And(PolicyKey + "Scope", "Messages")
            .Refused(
                $"{Path}:MessagesOlderThan: is required for scope Messages of Archive unless KeepLast is given: how old a message must "
                    + "be, such as 90d, or how many of the newest stay; there is no default age"
            );

    [Theory]
    [InlineData("IdleFor", "ended-at")]
    [InlineData("EndedFor", "ended-at")]
    [InlineData("DeletedFor", "soft-delete")]
    [InlineData("ExpiredFor", "last-accessed")]
    public void Refuses_an_age_of_sessions_and_says_what_to_write(string key, string preset) =>
        Parts()
            .And(SourceKey + "Preset", preset)
            .And(PolicyKey + key, "90d")
            .Refused(
                $"{Path}:{key}: is an age of whole sessions, and with scope Messages of Archive these live on: write MessagesOlderThan, "
                    + "the age of a message, or KeepLast, how many of the newest stay"
            );

    [Theory]
    [InlineData("Delete", "Nothing")]
    [InlineData("Delete", "Session")]
    [InlineData("DeleteAfter", "7d")]
    public void Refuses_what_marks_sessions(string key, string value) =>
        Parts()
            .And(PolicyKey + key, value)
            .Refused(
                $"{Path}:{key}: marks sessions, and scope Messages archives parts of sessions, which no mark can tell: its messages are "
                    + "deleted in the run that stores them"
            );

    [Theory]
    [InlineData("MessagesOlderThan", "90d")]
    [InlineData("KeepLast", "50")]
    public void Refuses_its_options_elsewhere(string key, string value) =>
        With(PolicyKey + key, value).Refused($"{Path}:{key}: is for action Archive with scope Messages only");

    [Theory]
    [InlineData("MessagesOlderThan", "0d", "must be above zero, but is '0d'")]
    [InlineData("KeepLast", "0", "must be a whole number from 1 to 2147483647, but is '0'")]
    public void Refuses_values_that_would_take_everything(string key, string value, string why) =>
        Parts().And(PolicyKey + key, value).Refused($"{Path}:{key}: {why}");

    [Theory]
    [InlineData("Time", "Messages of Archive needs to know how old a message is, and the child messages has no Time")]
    [InlineData(
        "Key",
        "Messages of Archive needs the Key of the child messages: a restore must tell a message that is there from one that is not"
    )]
    public void Refuses_messages_without_a_role_that_they_need(string role, string why) =>
        Parts().And(SourceKey + $"Tables:Children:messages:{role}", "").Refused($"{Path}:Scope: {why}");

    [Fact]
    public void Refuses_to_rank_messages_that_point_to_another_column_than_the_key()
    {
        Parts("KeepLast", "5")
            .And(SourceKey + "Tables:Children:messages:ParentKey", "user_id")
            .Refused(
                $"{Path}:KeepLast: needs messages that point to the session's Key without a Cast: else all messages of all sessions "
                    + "would be ranked for each session"
            );
        Parts().And(SourceKey + "Tables:Children:messages:ParentKey", "user_id").Settings();
    }

    [Fact]
    public void Refuses_a_source_without_messages_and_one_whose_sessions_have_no_row()
    {
        Parts()
            .And(SourceKey + "Tables:Children:messages:Table", "")
            .Refused($"{Path}:Scope: Messages of Archive takes rows of the child named messages, and the source maps none of that name");
        Assert.Contains(
            $"{Path}:Scope: Messages of Archive needs a row of the session, which stays, and with Session:From sessions have none: what "
                + "comes later under an archived key is archived in its turn",
            Parts().And(SourceKey + "Preset", "n8n-memory").Problems()
        );
    }

    [Fact]
    public void Refuses_a_trial_restore_which_compares_whole_sessions() =>
        Parts()
            .And("Storage:Verify", "TrialRestore")
            .Refused(
                "Storage:Verify: TrialRestore compares whole sessions, and policy 'main/idle' archives parts (scope Messages): use "
                    + "ReadBack, by which every byte is read back all the same"
            );

    private static Configured Parts(string key = "MessagesOlderThan", string value = "90d") =>
        With(PolicyKey + "IdleFor", null).And(PolicyKey + "Scope", "Messages").And(PolicyKey + key, value);
}

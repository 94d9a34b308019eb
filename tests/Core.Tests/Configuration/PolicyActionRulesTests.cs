using Archiver.Core.Settings;
using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

public sealed class PolicyActionRulesTests
{
    [Theory]
    [InlineData("IdleFor")]
    [InlineData("ExpiredFor")]
    public void Expires_by_idleness_or_by_an_expiry(string key) =>
        With(PolicyKey + "IdleFor", null)
            .And(SourceKey + "Preset", "status-expiry")
            .And(PolicyKey + "Action", "Expire")
            .And(PolicyKey + key, "24h")
            .Settings();

    [Fact]
    public void Refuses_a_policy_without_action() =>
        With(PolicyKey + "Action", null).Refused($"{FirstPolicy.Path}:Action: is required: one of Archive, Purge, Expire");

    [Fact]
    public void Refuses_expiry_without_a_status_column() =>
        With(SourceKey + "Preset", "last-accessed")
            .And(PolicyKey + "Action", "Expire")
            .And(PolicyKey + "ExpiredFor", "0s")
            .Refused($"{FirstPolicy.Path}:Action: Expire needs the role Status, which the source does not map");

    [Fact]
    public void Refuses_expiry_without_its_age() =>
        Assert.Contains(
            $"{FirstPolicy.Path}:ExpiredFor: is required for action Expire unless IdleFor is given",
            With(SourceKey + "Preset", "status-expiry").And(PolicyKey + "Action", "Expire").And(PolicyKey + "IdleFor", null).Problems()
        );

    [Fact]
    public void Takes_expiry_with_both() =>
        With(SourceKey + "Preset", "status-expiry").And(PolicyKey + "Action", "Expire").And(PolicyKey + "ExpiredFor", "0s").Settings();

    [Fact]
    public void Takes_a_purge_of_messages_where_a_child_maps_its_deleted_column()
    {
        var policy = PurgeMessages("soft-delete").Settings().Sources[0].Policies[0];

        Assert.Equal((PolicyAction.Purge, PurgeScope.Messages), (policy.Action, policy.Scope));
    }

    [Fact]
    public void Refuses_messages_where_no_child_maps_its_deleted_column() =>
        PurgeMessages("ended-at")
            .Refused($"{FirstPolicy.Path}:Scope: Messages needs a child with the role Deleted, which the source does not map");

    [Fact]
    public void Refuses_messages_without_a_deletion_age() =>
        PurgeMessages("soft-delete", deletedFor: null)
            .And(PolicyKey + "IdleFor", "90d")
            .Refused($"{FirstPolicy.Path}:DeletedFor: is required for scope Messages");

    [Fact]
    public void Refuses_messages_for_an_expiry() =>
        Assert.Contains(
            $"{FirstPolicy.Path}:Scope: Messages is for actions Archive and Purge only, but the action is Expire",
            PurgeMessages("soft-delete").And(PolicyKey + "Action", "Expire").Problems()
        );

    [Theory]
    [InlineData("Delete", "Session")]
    [InlineData("DeleteAfter", "0s")]
    public void Refuses_delete_options_for_a_purge(string key, string value) =>
        With(PolicyKey + "Action", "Purge")
            .And(PolicyKey + key, value)
            .Refused($"{FirstPolicy.Path}:{key}: is for action Archive only, but the action is Purge");

    [Fact]
    public void Refuses_a_delay_of_a_delete_that_never_comes() =>
        With(PolicyKey + "Delete", "Nothing")
            .And(PolicyKey + "DeleteAfter", "7d")
            .Refused($"{FirstPolicy.Path}:DeleteAfter: contradicts Delete Nothing: nothing will be deleted");

    private static Configured PurgeMessages(string preset, string? deletedFor = "30d")
    {
        var configured = With(SourceKey + "Preset", preset)
            .And(PolicyKey + "Action", "Purge")
            .And(PolicyKey + "Scope", "Messages")
            .And(PolicyKey + "IdleFor", null);
        return deletedFor is null ? configured : configured.And(PolicyKey + "DeletedFor", deletedFor);
    }
}

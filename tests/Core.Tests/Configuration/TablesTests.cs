using Archiver.Core.Configuration;
using Archiver.Core.Settings;
using static Archiver.Core.Tests.Configuration.Configured;
using static Archiver.Core.Tests.Configuration.ConfiguredTables;

namespace Archiver.Core.Tests.Configuration;

public sealed class TablesTests
{
    [Fact]
    public void Maps_any_other_schema()
    {
        var map = Tables(
                """
                { "Session": { "Table": "app.chat", "Key": "id", "ExternalId": "ext", "Activity": ["last_seen", "touched"], "User": "u",
                  "Created": "c",
                               "Ended": "e", "Deleted": "d", "Expires": "x", "Status": "s", "Archived": "a", "ArchiveLocation": "l" },
                  "Children": { "messages": { "Table": "app.msg", "Parent": "session", "ForeignKey": "chat_id", "ParentKey": "id",
                    "Key": "id",
                                              "Order": ["created_at", "id"], "Time": "created_at", "Deleted": "gone" } } }
                """
            )
            .Settings()
            .Sources[0]
            .Map;

        Assert.Equivalent(
            new SessionTable
            {
                Table = new("app", "chat"),
                Key = "id",
                ExternalId = "ext",
                Activity = ["last_seen", "touched"],
                User = "u",
                Created = "c",
                Ended = "e",
                Deleted = "d",
                Expires = "x",
                Status = "s",
                Archived = "a",
                ArchiveLocation = "l",
            },
            map.Session,
            strict: true
        );
        Assert.Equivalent(
            new ChildTable
            {
                Name = "messages",
                Table = new("app", "msg"),
                Parent = "session",
                ForeignKey = "chat_id",
                ParentKey = "id",
                Key = "id",
                Order = ["created_at", "id"],
                Time = "created_at",
                Deleted = "gone",
            },
            Assert.Single(map.Children),
            strict: true
        );
    }

    [Fact]
    public void Overrides_single_values_of_the_preset()
    {
        var map = SourceJson(
                """
                { "ConnectionString": "Host=db", "Preset": "ended-at", "Tables": {
                    "Session": { "Table": "Chat.chat_sessions", "Activity": ["touched"] },
                    "Children": { "messages": { "Time": null, "Key": "nr" },
                                  "files": { "Table": "files", "Parent": "messages", "ForeignKey": "message_id", "ParentKey": "nr",
                                    "Order": ["id"] } } } }
                """
            )
            .Settings()
            .Sources[0]
            .Map;
        var preset = Presets.Get("ended-at").Map;

        Assert.Equivalent(preset.Session with { Table = new("Chat", "chat_sessions"), Activity = ["touched"] }, map.Session, strict: true);
        Assert.Equal(["messages", "files"], map.Children.Select(c => c.Name));
        Assert.Equivalent(preset.Children[0] with { Key = "nr", Time = null }, map.Children[0], strict: true);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    public void Takes_a_role_of_the_preset_away_that_is_said_to_be_none(string none)
    {
        var map = SourceJson(
                $$"""
                { "ConnectionString": "Host=db", "Preset": "status-expiry",
                  "Tables": { "Session": { "User": {{none}}, "ExternalId": {{none}} }, "Children": { "messages": { "Time": {{none}} } } } }
                """
            )
            .Settings()
            .Sources[0]
            .Map;
        var preset = Presets.Get("status-expiry").Map;

        Assert.Equivalent(preset.Session with { User = null, ExternalId = null }, map.Session, strict: true);
        Assert.Null(map.Children[0].Time);
        Assert.Empty(map.Optional);
    }

    [Fact]
    public void Takes_a_child_of_the_preset_away_that_is_said_to_have_no_table()
    {
        var map = SourceJson(
                """
                { "ConnectionString": "Host=db", "Preset": "vercel-ai-chatbot",
                  "Tables": { "Children": { "legacy_votes": { "Table": null }, "streams": { "Table": "" } } } }
                """
            )
            .Settings()
            .Sources[0]
            .Map;

        Assert.Equal(["legacy_messages", "messages", "votes"], map.Children.Select(c => c.Name).Order());
        Assert.Equal(["Children:legacy_messages"], map.Optional);
    }

    [Fact]
    public void What_is_stated_beside_a_preset_is_not_optional_any_more()
    {
        var map = SourceJson(
                """
                { "ConnectionString": "Host=db", "Preset": "ended-at", "Tables": { "Session": { "Archived": "is_stored" } } }
                """
            )
            .Settings()
            .Sources[0]
            .Map;

        Assert.Equal(["Session:ArchiveLocation"], map.Optional);
    }
}

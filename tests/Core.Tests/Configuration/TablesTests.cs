using Archiver.Core.Configuration;
using Archiver.Core.Settings;
using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

public sealed class TablesTests
{
    private const string Session = """ "Session": { "Table": "app.chat", "Key": "id", "Activity": ["last_seen"] } """;
    private const string Msg = """ "messages": { "Table": "app.msg", "ForeignKey": "chat_id", "ParentKey": "id", "Order": ["id"] } """;

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

    [Fact]
    public void Names_every_required_value_of_an_empty_mapping() =>
        Assert.Equal(
            [
                "Sources:main:Tables:Session:Table: is required",
                "Sources:main:Tables:Session:Key: is required",
                "Sources:main:Tables:Session:Activity: is required",
                "Sources:main:Tables:Children:messages:Table: is required",
                "Sources:main:Tables:Children:messages:ForeignKey: is required",
                "Sources:main:Tables:Children:messages:ParentKey: is required",
                "Sources:main:Tables:Children:messages:Order: is required",
            ],
            Tables("""{ "Children": { "messages": { "Key": "id" } } }""").Problems()
        );

    [Theory]
    [InlineData("a.b.c")]
    [InlineData("")]
    [InlineData("chat.")]
    [InlineData("\\\"chat")]
    public void Refuses_what_is_no_table_name(string table) =>
        Tables($$"""{ "Session": { "Table": "{{table}}", "Key": "id", "Activity": ["last_seen"] } }""")
            .Refused(
                "Sources:main:Tables:Session:Table: must be a table such as public.chat_sessions, odd names in double quotes, but is "
                    + $"'{table.Replace("\\", "")}'"
            );

    [Fact]
    public void Takes_odd_table_names_in_quotes() =>
        Assert.Equal(
            new TableName("My App", "Chat.Log"),
            Tables("""{ "Session": { "Table": "\"My App\".\"Chat.Log\"", "Key": "id", "Activity": ["t"] } }""")
                .Settings()
                .Sources[0]
                .Map.Session.Table
        );

    [Theory]
    [InlineData("Session:Key")]
    [InlineData("Children:messages:ForeignKey")]
    [InlineData("Children:messages:ParentKey")]
    public void Refuses_an_empty_column(string key) =>
        With($"Sources:main:Tables:{key}", "").Refused($"Sources:main:Tables:{key}: must not be empty");

    [Theory]
    [InlineData("Session", "Activity")]
    [InlineData("Children:messages", "Order")]
    public void Refuses_a_list_without_columns(string table, string key) =>
        With($"Sources:main:Tables:{table}:{key}", "").Refused($"Sources:main:Tables:{table}:{key}: must list at least one column");

    [Fact]
    public void Sorts_parents_before_their_children()
    {
        var map = Tables(
                $$"""{ {{Session}}, "Children": { {{Child("a", "b")}}, {{Child("b", "messages")}}, {{Child("z", "session")}}, {{Msg}} } }"""
            )
            .Settings()
            .Sources[0]
            .Map;

        Assert.Equal(["messages", "z", "b", "a"], map.Children.Select(c => c.Name));
    }

    [Fact]
    public void Refuses_an_unknown_parent_and_lists_the_known() =>
        Tables($$"""{ {{Session}}, "Children": { {{Child("a", "message")}}, {{Msg}} } }""")
            .Refused("Sources:main:Tables:Children:a:Parent: must be one of session, messages, but is 'message'");

    [Fact]
    public void Refuses_parents_in_a_circle() =>
        Assert.Equal(
            [
                "Sources:main:Tables:Children:a:Parent: must lead to the session table, but 'b' leads back in a circle",
                "Sources:main:Tables:Children:b:Parent: must lead to the session table, but 'a' leads back in a circle",
            ],
            Tables($$"""{ {{Session}}, "Children": { {{Child("a", "b")}}, {{Child("b", "a")}}, {{Msg}} } }""").Problems()
        );

    [Fact]
    public void Refuses_a_child_that_is_its_own_parent() =>
        Tables($$"""{ {{Session}}, "Children": { {{Child("a", "a")}} } }""")
            .Refused("Sources:main:Tables:Children:a:Parent: must lead to the session table, but 'a' leads back in a circle");

    [Theory]
    [InlineData("session")]
    [InlineData("Session")]
    public void Refuses_a_child_with_the_name_of_the_session_table(string name) =>
        Tables($$"""{ {{Session}}, "Children": { {{Child(name, "session")}} } }""")
            .Refused($"Sources:main:Tables:Children:{name}: is the name of the session table itself; choose another");

    [Fact]
    public void Takes_messages_in_any_case() =>
        Assert.Equal(
            "messages",
            Tables($$"""{ {{Session}}, "Children": { {{Child("MESSAGES", "session")}} } }""")
                .Settings()
                .Sources[0]
                .Map.Children.Single()
                .Name
        );

    [Fact]
    public void Writes_a_child_as_the_first_provider_does_because_documents_carry_its_name() =>
        Assert.Equal(
            "Files",
            Tables($$"""{ {{Session}}, "Children": { {{Child("Files", "session")}} } }""")
                .And("Sources:MAIN:Tables:Children:FILES:Time", "at")
                .Settings()
                .Sources[0]
                .Map.Children.Single()
                .Name
        );

    [Fact]
    public void Refuses_a_table_that_is_mapped_twice() =>
        Tables(
                $$"""{ {{Session}}, "Children": { "again": { "Table": "app.msg", "ForeignKey": "f", "ParentKey": "id", "Order": ["id"] }, {{Msg}} } }"""
            )
            .Refused("Sources:main:Tables:Children:messages:Table: must be mapped once, but app.msg is the table of 'again' as well");

    [Fact]
    public void Refuses_the_session_table_as_a_child() =>
        Tables(
                $$"""{ {{Session}}, "Children": { "again": { "Table": "app.chat", "ForeignKey": "f", "ParentKey": "id", "Order": ["id"] } } }"""
            )
            .Refused("Sources:main:Tables:Children:again:Table: must be mapped once, but app.chat is the table of 'session' as well");

    private static Configured Tables(string tables) => SourceJson($$"""{ "ConnectionString": "Host=db", "Tables": {{tables}} }""");

    private static string Child(string name, string parent) =>
        $$""" "{{name}}": { "Table": "app.t_{{name}}", "Parent": "{{parent}}", "ForeignKey": "f", "ParentKey": "id", "Order": ["id"] } """;
}

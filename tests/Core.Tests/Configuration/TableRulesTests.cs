using Archiver.Core.Settings;
using static Archiver.Core.Tests.Configuration.Configured;
using static Archiver.Core.Tests.Configuration.ConfiguredTables;

namespace Archiver.Core.Tests.Configuration;

public sealed class TableRulesTests
{
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

    private static string Child(string name, string parent) =>
        $$""" "{{name}}": { "Table": "app.t_{{name}}", "Parent": "{{parent}}", "ForeignKey": "f", "ParentKey": "id", "Order": ["id"] } """;
}

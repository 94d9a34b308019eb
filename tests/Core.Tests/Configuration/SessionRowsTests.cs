using Archiver.Core.Settings;
using static Archiver.Core.Tests.Configuration.Configured;

namespace Archiver.Core.Tests.Configuration;

/// <summary>A mapping whose sessions are the rows of one key, without a row of their own.</summary>
public sealed class SessionRowsTests
{
    private const string Messages = """ "messages": { "Table": "chat_history", "Order": ["id"] } """;

    [Fact]
    public void Takes_table_keys_and_time_from_the_child_that_makes_the_sessions()
    {
        var map = Tables(
                "\"From\": \"MESSAGES\"",
                $$"""{ {{Messages}}, "notes": { "Table": "notes", "ForeignKey": "chat", "ParentKey": "session_id", "Order": ["id"] } }"""
            )
            .Settings()
            .Sources[0]
            .Map;

        Assert.Equal(
            ("messages", new TableName("public", "chat_history"), false),
            (map.Session.From, map.Session.Table, map.Session.HasRow)
        );
        Assert.Equal(("session_id", "session_id", "at"), (map.Children[0].ForeignKey, map.Children[0].ParentKey, map.Children[0].Time));
        Assert.Null(map.Children[1].Time);
    }

    [Theory]
    [InlineData("\"From\": \"messages\", \"Table\": \"chats\"", "Table: must not be given together with From, whose child has the table")]
    [InlineData("\"From\": \"messages\", \"User\": \"who\"", "User: is a column of a session's row, and with From sessions have none")]
    [InlineData(
        "\"From\": \"messages\", \"Deleted\": { \"Column\": \"gone\", \"At\": \"at\" }",
        "Deleted: is a column of a session's row, and with From sessions have none"
    )]
    public void Refuses_what_needs_a_row(string session, string says) =>
        Tables(session, $$"""{ {{Messages}} }""").Refused($"Sources:main:Tables:Session:{says}");

    [Fact]
    public void Names_the_children_that_there_are() =>
        Tables(
                "\"From\": \"message\"",
                """{ "messages": { "Table": "chat_history", "ForeignKey": "session_id", "ParentKey": "session_id", "Order": ["id"] } }"""
            )
            .Refused("Sources:main:Tables:Session:From: must be one of messages, but is 'message'");

    [Theory]
    [InlineData("Delete", "Nothing")]
    [InlineData("DeleteAfter", "7d")]
    public void Refuses_to_mark_sessions_that_have_no_row(string key, string value) =>
        Tables("\"From\": \"messages\"", $$"""{ {{Messages}} }""")
            .And("Sources:main:Policies:idle:Action", "Archive")
            .And("Sources:main:Policies:idle:IdleFor", "90d")
            .And($"Sources:main:Policies:idle:{key}", value)
            .Refused($"Sources:main:Policies:idle:{key}: needs a row of the session to mark, and with Session:From sessions have none");

    [Fact]
    public void Refuses_columns_to_keep() =>
        Tables("\"From\": \"messages\"", $$"""{ {{Messages}} }""")
            .And("Sources:main:Keep:0", "title")
            .Refused("Sources:main:Keep: names columns of a session's row, and with Session:From sessions have none");

    [Fact]
    public void Refuses_children_that_hang_on_another_column_than_the_key() =>
        Tables(
                "\"From\": \"messages\"",
                $$"""{ {{Messages}}, "notes": { "Table": "notes", "ForeignKey": "chat", "ParentKey": "id", "Order": ["id"] } }"""
            )
            .Refused(
                "Sources:main:Tables:Session:From: needs 'messages' right below the session, tied by the session's Key, as is every "
                    + "other child of it"
            );

    private static Configured Tables(string session, string children) =>
        SourceJson(
            $$"""{ "ConnectionString": "Host=db", "Tables": { "Session": { {{session}}, "Key": "session_id", "Activity": ["at"] }, "Children": {{children}} } }"""
        );
}

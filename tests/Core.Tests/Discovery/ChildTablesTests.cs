using static Archiver.Core.Tests.Discovery.ProposedTables;

namespace Archiver.Core.Tests.Discovery;

/// <summary>Tables of a live application whose names sound like a part of a chat, and whose rows may be without one.</summary>
public sealed class ChildTablesTests
{
    private const string Users = "users(id int pk, name text)";

    [Theory]
    // They end in a word for what lives on.
    [InlineData("live on without", "chat_users(id int pk, active_chat_id uuid -> chats null)")]
    [InlineData("live on without", "chat_bots(id int pk, chat_id uuid)")]
    // They belong to something else, which stays.
    [InlineData(
        "cannot be without public.hubs",
        "hubs(id int pk)",
        "chat_hub_messages(id int pk, hub int! -> hubs, chat_id uuid -> chats null)"
    )]
    [InlineData("cannot be without public.hubs", "hubs(id int pk)", "chat_hub_notes(id int pk, hub int! -> hubs, chat_id uuid)")]
    // Their names only say that the application has to do with chats.
    [InlineData("its rows may be without it", "ai_credits(id int pk, chat_id uuid -> chats null)")]
    [InlineData("only its name points there", "bot_settings(id int pk, chat_id uuid!)")]
    public void Rows_that_live_on_without_a_session_stay_whatever_their_table_is_called(string why, params string[] tables)
    {
        var proposal = Catalog.Of([Chats, Messages, .. tables]).Guess().Best!;

        Assert.Equal("messages", Assert.Single(proposal.Children).Table.Name);
        Assert.Contains(why, Assert.Single(proposal.LeftOut), StringComparison.Ordinal);
    }

    // By them the sessions were found; a run of an assistant that they name as well is no owner of theirs.
    [Fact]
    public void The_only_messages_of_a_session_go_with_it_whatever_else_they_belong_to()
    {
        var proposal = Catalog
            .Of(
                "threads(id text pk, updated_at timestamptz!)",
                "runs(id text pk)",
                "messages(id text pk, thread_id text!, run_id text! -> runs, role text, content text, created_at timestamptz!)"
            )
            .Guess()
            .Best!;

        Assert.Equal("public.messages", Assert.Single(proposal.Children).Table.ToString());
    }

    [Theory]
    [InlineData("chat_drafts(id int pk, chat_id uuid -> chats null)")]
    [InlineData("chat_drafts(id int pk, chat_id uuid)")]
    public void Rows_that_messages_point_to_stay(string drafts)
    {
        var messages = Messages.Replace("role text", "draft_id int -> chat_drafts", StringComparison.Ordinal);

        var proposal = Catalog.Of(Chats, drafts, messages).Guess().Best!;

        Assert.Equal("messages", Assert.Single(proposal.Children).Table.Name);
        Assert.Contains("public.messages points to it", Assert.Single(proposal.LeftOut), StringComparison.Ordinal);
    }

    // Every row of an application names a user: that says nothing of what it is a part of.
    [Theory]
    [InlineData("tool_calls(id int pk, message_id bigint -> messages null, user_id int! -> users)")]
    [InlineData("chat_messages(id int pk, chat_id uuid -> chats, user_id int! -> users, content text)")]
    public void Parts_that_name_a_user_too_are_taken_and_it_says_how_to_leave_them(string table)
    {
        var proposal = Catalog.Of(Chats, Messages, Users, table).Guess().Best!;

        var name = proposal.Children[1].Table;
        Assert.Contains(proposal.Doubts, d => d.Contains($"--without {name}", StringComparison.Ordinal));
        Assert.Contains(proposal.Doubts, d => d.Contains("may be NULL", StringComparison.Ordinal));
    }

    [Fact]
    public void What_a_preset_leaves_stays_even_where_a_firm_key_points_to_the_session()
    {
        var proposal = Catalog
            .Of(
                "flows.execution_entity(id int pk, stoppedAt timestamptz, createdAt timestamptz!, waitTill timestamptz, "
                    + "deletedAt timestamptz)",
                "flows.execution_data(executionId int pk -> flows.execution_entity cascade, data text)",
                "flows.execution_metadata(id int pk, executionId int! -> flows.execution_entity cascade, key text)",
                "flows.chat_hub_messages(id uuid pk, executionId int! -> flows.execution_entity, content text)"
            )
            .Guess()
            .Best!;

        Assert.Equal("n8n-executions", proposal.Preset);
        Assert.Equal(["messages", "metadata"], proposal.Children.Select(c => c.Name));
        Assert.Contains("preset n8n-executions leaves it", Assert.Single(proposal.LeftOut), StringComparison.Ordinal);
    }
}

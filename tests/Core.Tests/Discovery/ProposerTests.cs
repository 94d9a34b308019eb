using static Archiver.Core.Tests.Discovery.ProposedTables;

namespace Archiver.Core.Tests.Discovery;

public sealed class ProposerTests
{
    [Fact]
    public void Finds_the_sessions_their_columns_and_their_messages()
    {
        var proposal = Catalog.Of(Chats, Messages).Guess().Best!;

        var session = proposal.Session;
        Assert.Equal(
            "public.chats id updated_at user_id created_at title",
            $"{session.Table} {session.Key} {string.Join(',', session.Activity)} {session.User} {session.Created} {session.Title}"
        );
        Assert.Equal("messages session chat_id->id id created_at,id created_at", Line(Assert.Single(proposal.Children)));
        Assert.Empty(proposal.Doubts);
        Assert.Empty(proposal.LeftOut);
    }

    [Fact]
    public void Logins_are_no_chats()
    {
        var guess = Catalog
            .Of(
                "auth.users(id uuid pk, name text, created_at timestamptz!)",
                "auth.sessions(id uuid pk, user_id uuid! -> auth.users cascade, created_at timestamptz!, updated_at timestamptz!)",
                "auth.events(id uuid pk, session_id uuid! -> auth.sessions cascade, data text, created_at timestamptz!)",
                Chats,
                Messages
            )
            .Guess();

        Assert.Equal("public.chats", guess.Best!.Session.Table.ToString());
        Assert.False(guess.IsAmbiguous);
    }

    [Theory]
    [InlineData("auth.sessions", "auth.session_events")]
    [InlineData("web_sessions", "web_session_events")]
    public void Logins_alone_are_no_chats(string sessions, string events) =>
        Assert.Null(
            Catalog
                .Of(
                    $"{sessions}(id uuid pk, user_id uuid!, created_at timestamptz!, updated_at timestamptz!)",
                    $"{events}(id uuid pk, session_id uuid! -> {sessions} cascade, data text, created_at timestamptz!)"
                )
                .Guess()
                .Best
        );

    [Fact]
    public void Two_chats_in_one_database_are_ambiguous_and_a_name_decides()
    {
        var facts = Catalog.Of(
            Chats,
            Messages,
            "threads(id uuid pk, user_id text, title text, updated_at timestamptz!)",
            "thread_messages(id bigint pk, thread_id uuid! -> threads, role text, content text, created_at timestamptz!)"
        );

        Assert.True(facts.Guess().IsAmbiguous);
        Assert.Contains(facts.Guess().Best!.Doubts, d =>
            d.StartsWith("public.threads may hold the sessions as well", StringComparison.Ordinal)
        );
        var named = facts.Guess(new() { Sessions = Catalog.Name("threads") });
        Assert.False(named.IsAmbiguous);
        Assert.Equal("public.threads", named.Best!.Session.Table.ToString());
        Assert.Equal("thread_messages", Assert.Single(named.Best.Children).Table.Name);
        Assert.Equal("messages", named.Best.Children[0].Name);
    }

    // What cannot be without its session goes with it; what can is left where only chance named it.
    [Theory]
    [InlineData("ratings(id int pk, chat_id uuid! -> chats)", true)]
    [InlineData("ratings(id int pk, chat_id uuid -> chats cascade)", true)]
    [InlineData("chat_shares(id int pk, chat_id uuid -> chats)", true)]
    [InlineData("attachments(id int pk, message_id bigint -> messages)", true)]
    [InlineData("tool_calls(id int pk, message_id bigint -> messages null)", true)]
    [InlineData("attachments(id int pk, chat_id uuid)", false)]
    [InlineData("invoices(id int pk, chat_id uuid -> chats)", false)]
    [InlineData("invoices(id int pk, chat_id uuid -> chats null)", false)]
    [InlineData("audit(id int pk, chat_id uuid)", false)]
    [InlineData("message_votes(id int pk, chat_id uuid)", true)]
    public void Takes_what_belongs_to_a_session_and_names_what_it_leaves_out(string table, bool taken)
    {
        var proposal = Catalog.Of(Chats, Messages, table).Guess().Best!;

        Assert.Equal(taken ? 2 : 1, proposal.Children.Count);
        if (taken)
            Assert.Empty(proposal.LeftOut);
        else
            Assert.Contains(
                $"public.{table[..table.IndexOf('(', StringComparison.Ordinal)]}.chat_id points to public.chats",
                Assert.Single(proposal.LeftOut),
                StringComparison.Ordinal
            );
    }

    [Fact]
    public void What_a_person_leaves_out_is_left_out_with_what_hangs_below_it()
    {
        var proposal = Catalog
            .Of(Chats, Messages, "parts(id int pk, message_id bigint! -> messages cascade)")
            .Guess(new() { Without = [Catalog.Name("messages")] })
            .Best!;

        Assert.Empty(proposal.Children);
        Assert.Contains(proposal.LeftOut, l => l.Contains("you left it out", StringComparison.Ordinal));
    }

    [Fact]
    public void Follows_tables_down_to_any_depth_by_the_firmest_way()
    {
        var proposal = Catalog
            .Of(
                Chats,
                Messages,
                "message_parts(id int pk, message_id bigint! -> messages cascade, chat_id uuid -> chats)",
                "tool_results(part_id int! -> message_parts cascade, place int)"
            )
            .Guess()
            .Best!;

        Assert.Equal(
            [
                "messages session chat_id->id id created_at,id created_at",
                "message_parts messages message_id->id id id -",
                "tool_results message_parts part_id->id - part_id -",
            ],
            proposal.Children.Select(Line)
        );
    }
}

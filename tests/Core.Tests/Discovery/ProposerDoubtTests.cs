using static Archiver.Core.Tests.Discovery.ProposedTables;

namespace Archiver.Core.Tests.Discovery;

public sealed class ProposerDoubtTests
{
    [Fact]
    public void Names_alone_tie_messages_to_their_session_and_it_says_so()
    {
        var proposal = Catalog
            .Of(
                "mastra_threads(id text pk, updatedAt timestamp!)",
                "mastra_messages(id text pk, thread_id text!, content text, role text, createdAt timestamp!)"
            )
            .Guess()
            .Best!;

        Assert.Equal("messages session thread_id->id id createdAt,id createdAt", Line(Assert.Single(proposal.Children)));
        Assert.Contains(proposal.Doubts, d => d.Contains("no foreign key says so", StringComparison.Ordinal));
        Assert.Contains(proposal.Doubts, d => d.Contains("taken for UTC", StringComparison.Ordinal));
    }

    [Fact]
    public void A_text_that_points_to_an_external_id_is_not_tied_to_the_key()
    {
        var proposal = Catalog
            .Of(
                "sessions(id uuid pk, session_id text! unique, updated_at timestamptz!)",
                "messages(id bigint pk, session_id text!, role text, content text, created_at timestamptz!)"
            )
            .Guess()
            .Best!;

        Assert.Equal("messages session session_id->session_id id created_at,id created_at", Line(Assert.Single(proposal.Children)));
        Assert.Equal("session_id", proposal.Session.ExternalId);
    }

    [Fact]
    public void Of_two_unique_texts_the_one_of_the_same_name_is_meant()
    {
        var proposal = Catalog
            .Of(
                "sessions(id text pk, session_id text! unique, updated_at timestamptz!)",
                "messages(id bigint pk, session_id text!, role text, content text, created_at timestamptz!)"
            )
            .Guess()
            .Best!;

        Assert.Equal("session_id", Assert.Single(proposal.Children).ParentKey);
    }

    [Theory]
    [InlineData("bigint", "10 10 0 10 0 0", "updated_at (epoch-ms)")]
    [InlineData("double", "10 10 10 0 0 0", "updated_at (epoch-s)")]
    [InlineData("bigint", "10 10 0 0 10 0", "updated_at (epoch-us)")]
    [InlineData("text", "10 10 0 0 0 10", "updated_at (text)")]
    // Not all of one kind, or nothing to see: created_at is what is left.
    [InlineData("bigint", "10 10 5 5 0 0", "created_at")]
    [InlineData("bigint", "0 0 0 0 0 0", "created_at")]
    public void Knows_times_that_are_numbers_or_texts_by_their_values(string type, string sample, string activity)
    {
        var n = sample.Split(' ').Select(long.Parse).ToArray();

        var proposal = Catalog
            .Of($"chats(id uuid pk, created_at timestamptz!, updated_at {type}!)", Messages)
            .With("chats", "updated_at", new(n[0], n[1], n[2], n[3], n[4], n[5]))
            .Guess()
            .Best!;

        Assert.Equal(activity, Assert.Single(proposal.Session.Activity).ToString());
    }

    [Fact]
    public void Where_the_last_use_may_be_unset_the_creation_counts()
    {
        var proposal = Catalog
            .Of(Chats.Replace("updated_at timestamptz!", "updated_at timestamptz", StringComparison.Ordinal), Messages)
            .Guess()
            .Best!;

        Assert.Equal("updated_at or created_at", Assert.Single(proposal.Session.Activity).ToString());
        Assert.Contains(proposal.Doubts, d => d.Contains("may be unset", StringComparison.Ordinal));
    }

    [Fact]
    public void A_table_that_cannot_be_read_is_neither_sessions_nor_messages_and_is_told_of()
    {
        var proposal = Catalog
            .Of(
                Chats,
                Messages,
                "-crm.chats(id uuid pk, user_id text, title text, updated_at timestamptz!)",
                "crm.chat_messages(id bigint pk, chat_id uuid! -> crm.chats cascade, role text, content text, created_at timestamptz!)",
                "-crm.notes(id int pk, chat_id uuid! -> chats)"
            )
            .Guess()
            .Best!;

        Assert.Equal("public.chats", proposal.Session.Table.ToString());
        Assert.Contains(proposal.Doubts, d => d.Contains("may not read 2 of 5 tables", StringComparison.Ordinal));
        Assert.Contains(proposal.LeftOut, l =>
            l.Contains("crm.notes.chat_id", StringComparison.Ordinal) && l.Contains("may not read", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("has no tables")]
    [InlineData(
        "looks like chat sessions",
        "users(id int pk, name text)",
        "orders(id int pk, user_id int! -> users, created_at timestamptz!)"
    )]
    [InlineData("no column says when a message was written", "message_store(id int pk, session_id text!, message text!)")]
    [InlineData(
        "key of public.sessions has several columns",
        "sessions(app text pk, id text pk, update_time timestamp!)",
        "session_events(id text pk, session_id text!, content text)"
    )]
    public void Says_why_it_proposes_nothing(string why, params string[] tables)
    {
        var guess = Catalog
            .Of(tables)
            .Guess(
                tables.Length == 2 && tables[0].StartsWith("sessions", StringComparison.Ordinal)
                    ? new() { Sessions = Catalog.Name("sessions") }
                    : null
            );

        Assert.Null(guess.Best);
        Assert.Contains(why, guess.Why!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_preset_is_recognised_by_its_columns_in_any_schema_and_gets_the_tables_below()
    {
        var proposal = Catalog
            .Of(
                "app.sessions(id uuid pk, user_id text, created_at timestamptz!, updated_at timestamptz!, last_accessed timestamptz!, "
                    + "expires_at timestamptz)",
                "app.messages(id bigint pk, session_id uuid! -> app.sessions cascade, created_at timestamptz!, content text)",
                "app.votes(message_id bigint! -> app.messages cascade, stars int)"
            )
            .Guess()
            .Best!;

        Assert.Equal(("last-accessed", true), (proposal.Preset, proposal.Moved));
        Assert.Equal(["messages", "votes"], proposal.Children.Select(c => c.Name));
        Assert.Equal([true, false], proposal.Children.Select(c => c.OfPreset));
    }
}

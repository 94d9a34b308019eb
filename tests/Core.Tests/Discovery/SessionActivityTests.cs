using static Archiver.Core.Tests.Discovery.ProposedTables;

namespace Archiver.Core.Tests.Discovery;

/// <summary>What says when a session was last used; without it chats in daily use would be taken.</summary>
public sealed class SessionActivityTests
{
    // The creation alone says nothing: a session may be in use for years.
    [Theory]
    [InlineData("Chat(id uuid pk, createdAt timestamp!, messages json!, userId uuid!)")]
    [InlineData("chats(id uuid pk, created_at timestamptz!)", "messages(id bigint pk, chat_id uuid! -> chats, role text, content text)")]
    [InlineData(
        "chats(id uuid pk, created_at timestamptz!, messages json!)",
        "chat_votes(id int pk, chat_id uuid! -> chats cascade, created_at timestamptz!)"
    )]
    public void Proposes_nothing_where_neither_the_session_nor_its_messages_say_when_it_was_used(params string[] tables)
    {
        var guess = Catalog.Of(tables).Guess();

        Assert.Null(guess.Best);
        Assert.Contains("does not say when a session was last used", guess.Why!, StringComparison.Ordinal);
        Assert.Contains("--activity", guess.Why!, StringComparison.Ordinal);
    }

    [Fact]
    public void Proposes_nothing_where_the_messages_that_would_say_it_are_left_out()
    {
        var guess = Catalog
            .Of("chats(id uuid pk, created_at timestamptz!)", Messages)
            .Guess(new() { Without = [Catalog.Name("messages")] });

        Assert.Null(guess.Best);
    }

    [Fact]
    public void A_person_may_say_that_the_creation_is_it() =>
        Assert.Equal(
            "created_at",
            Assert
                .Single(
                    Catalog
                        .Of("chats(id uuid pk, created_at timestamptz!, messages json!)")
                        .Guess(new() { Columns = new(Activity: ["created_at"]) })
                        .Best!.Session.Activity
                )
                .ToString()
        );

    [Theory]
    [InlineData("updated_at timestamptz!, last_accessed_at timestamptz", "updated_at, last_accessed_at or created_at")]
    [InlineData("updated_at timestamptz, last_accessed_at timestamptz", "last_accessed_at or created_at, updated_at or created_at")]
    // Of another type the creation cannot stand for it; another time that is always set can.
    [InlineData("updated_at timestamp!, last_accessed_at timestamp", "updated_at, last_accessed_at or updated_at")]
    // Nothing can: it keeps sessions without it, and that is told.
    [InlineData("updated_at timestamptz!, last_accessed_at date", "updated_at, last_accessed_at")]
    public void Every_time_of_use_counts_also_one_that_may_be_unset(string columns, string activity)
    {
        var proposal = Catalog.Of($"chats(id uuid pk, created_at timestamptz!, {columns})", Messages).Guess().Best!;

        Assert.Equal(activity, string.Join(", ", proposal.Session.Activity));
        Assert.Contains(proposal.Doubts, d => d.Contains("last_accessed_at may be unset", StringComparison.Ordinal));
    }
}

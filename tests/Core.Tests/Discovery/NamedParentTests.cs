using Archiver.Core.Discovery;

namespace Archiver.Core.Tests.Discovery;

/// <summary>Columns that are named after a table and have no foreign key. Numbers that count up are found in every table.</summary>
public sealed class NamedParentTests
{
    private const string SupportChats = "support_chats(id bigint pk, user_id text, updated_at timestamptz!)";
    private const string TeamChats = "team_chats(id bigint pk, user_id text, updated_at timestamptz!)";

    [Theory]
    [InlineData("support")]
    [InlineData("team")]
    public void The_messages_of_another_chat_are_no_part_of_this_one(string chat)
    {
        var proposal = Catalog
            .Of(SupportChats, Messages("support_messages"), TeamChats, Messages("team_messages"))
            .Guess(Sessions($"{chat}_chats"))
            .Best!;

        Assert.Equal($"{chat}_messages", Assert.Single(proposal.Children).Table.Name);
        Assert.Empty(proposal.LeftOut);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    public void The_messages_of_another_schema_are_no_part_of_this_one(string schema)
    {
        var proposal = Catalog
            .Of($"a.{SupportChats}", Messages("a.messages"), $"b.{SupportChats}", Messages("b.messages"))
            .Guess(Sessions($"{schema}.support_chats"))
            .Best!;

        Assert.Equal($"{schema}.messages", Assert.Single(proposal.Children).Table.ToString());
        Assert.Empty(proposal.LeftOut);
    }

    [Fact]
    public void A_column_that_fits_two_tables_alike_is_tied_to_none_and_is_told_of()
    {
        var proposal = Catalog
            .Of(SupportChats, Messages("support_messages"), TeamChats, Messages("messages"))
            .Guess(Sessions("support_chats"))
            .Best!;

        Assert.Equal("support_messages", Assert.Single(proposal.Children).Table.Name);
        Assert.Contains("it may as well mean public.team_chats", Assert.Single(proposal.LeftOut), StringComparison.Ordinal);
    }

    [Fact]
    public void A_column_that_fits_only_a_table_of_another_schema_is_tied_to_none_and_is_told_of()
    {
        var proposal = Catalog.Of(SupportChats, Messages("support_messages"), Messages("crm.messages")).Guess().Best!;

        Assert.Equal("support_messages", Assert.Single(proposal.Children).Table.Name);
        Assert.Contains("in another schema", Assert.Single(proposal.LeftOut), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("messages", "chats")]
    [InlineData("support_messages", "support_chats")]
    public void A_column_means_the_table_with_most_words_in_common_and_then_the_one_of_its_whole_name(string messages, string chats)
    {
        var facts = Catalog.Of(SupportChats, SupportChats.Replace("support_", "", StringComparison.Ordinal), Messages(messages));

        Assert.Equal(chats, facts.Guess().Best!.Session.Table.Name);
        Assert.Equal(messages, Assert.Single(facts.Guess().Best!.Children).Table.Name);
    }

    [Fact]
    public void Values_decide_where_names_do_not()
    {
        var facts = Catalog.Of(SupportChats, TeamChats, Messages("messages"));
        FoundLink Onto(string chats) => new(Catalog.Name("messages"), "chat_id", Catalog.Name(chats), "id");

        var unsampled = facts.Guess();
        Assert.Null(unsampled.Best);
        Assert.Contains("chat_id may mean public.support_chats or public.team_chats", unsampled.Why!, StringComparison.Ordinal);
        var sampled = facts with
        {
            Matches = new Dictionary<FoundLink, bool> { [Onto("support_chats")] = false, [Onto("team_chats")] = true },
        };
        Assert.Equal("team_chats", sampled.Guess().Best!.Session.Table.Name);
        Assert.Equal("messages", Assert.Single(sampled.Guess().Best!.Children).Table.Name);
    }

    // Only its own words speak for the table itself: they would in every table.
    [Theory]
    [InlineData("messages", true)]
    [InlineData("support_messages", false)]
    public void A_column_of_messages_may_mean_other_messages_and_is_left_where_it_may_mean_its_own_table_alike(string messages, bool taken)
    {
        var proposal = Catalog.Of(SupportChats, Messages(messages), "saved_messages(id bigint pk, message_id bigint!)").Guess().Best!;

        Assert.Equal(taken ? [messages, "saved_messages"] : [messages], proposal.Children.Select(c => c.Table.Name));
        Assert.Equal(
            taken ? 0 : 1,
            proposal.LeftOut.Count(l => l.StartsWith("public.saved_messages.message_id", StringComparison.Ordinal))
        );
    }

    [Fact]
    public void A_table_whose_name_has_no_word_is_no_trouble() =>
        Assert.Equal("support_chats", Catalog.Of(SupportChats, Messages("messages"), "_(role text pk)").Guess().Best!.Session.Table.Name);

    [Fact]
    public void What_hangs_below_the_messages_of_another_chat_is_no_part_of_this_one()
    {
        var proposal = Catalog
            .Of(
                SupportChats,
                Messages("support_messages"),
                "support_message_votes(id bigint pk, message_id bigint!)",
                TeamChats,
                Messages("team_messages"),
                "team_message_votes(id bigint pk, message_id bigint!)"
            )
            .Guess(Sessions("support_chats"))
            .Best!;

        Assert.Equal(["support_messages", "support_message_votes"], proposal.Children.Select(c => c.Table.Name));
    }

    private static string Messages(string name) =>
        $"{name}(id bigint pk, chat_id bigint!, role text, content text, created_at timestamptz!)";

    private static GivenAnswers Sessions(string table) => new() { Sessions = Catalog.Name(table) };
}

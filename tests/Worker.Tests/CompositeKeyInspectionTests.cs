using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Inspection of a key of several columns.</summary>
public sealed class CompositeKeyInspectionTests(TestServers servers) : CompositeKeys(servers)
{
    [Fact]
    public async Task Inspection_refuses_columns_that_are_not_unique_together_or_may_be_null_or_lack_an_index()
    {
        await using var archiver = await TextsAsync();
        await archiver.Database.ExecuteAsync(
            "ALTER TABLE posts DROP CONSTRAINT posts_chat; ALTER TABLE chats DROP CONSTRAINT chats_pkey; "
                + "ALTER TABLE chats ALTER COLUMN b DROP NOT NULL; DROP INDEX posts_of; CREATE INDEX ON posts (chat_a, chat_b); CREATE "
                + "UNIQUE INDEX ON chats (a, seen)",
            Token
        );

        var plan = await archiver.RunAsync("plan");

        Assert.True(plan.ExitCode == 3, plan.Error);
        Assert.Contains("Column \"b\" (Key) of table public.chats may be NULL", plan.Error, StringComparison.Ordinal);
        Assert.Contains(
            "Columns \"a\", \"b\", \"c\" (Key) of table public.chats have no valid unique index",
            plan.Error,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("(ParentKey)", plan.Error, StringComparison.Ordinal);
        Assert.Contains("Where the application never writes the same values together twice", plan.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("CREATE UNIQUE INDEX", plan.Error, StringComparison.Ordinal);
        Assert.Contains(
            "Columns \"chat_c\", \"chat_a\", \"chat_b\" (ForeignKey) of table public.posts (messages) lead no usable index",
            plan.Error,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "CREATE INDEX CONCURRENTLY ON \"public\".\"posts\" (\"chat_c\", \"chat_a\", \"chat_b\")",
            plan.Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Inspection_names_the_columns_that_are_unique_together_where_the_mapped_one_is_not()
    {
        await using var archiver = await TextsAsync();
        foreach (
            var (path, column) in new[]
            {
                ("Session:Key", "b"),
                ("Children:messages:ForeignKey", "chat_b"),
                ("Children:messages:ParentKey", "b"),
            }
        )
            archiver
                .With($"Sources:main:Tables:{path}:0", column)
                .With($"Sources:main:Tables:{path}:1", null)
                .With($"Sources:main:Tables:{path}:2", null);

        var plan = await archiver.RunAsync("plan");

        Assert.True(plan.ExitCode == 3, plan.Error);
        Assert.Contains("or list columns that are unique together, such as [\"a\", \"b\", \"c\"].", plan.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspection_refuses_a_key_that_ties_by_some_of_the_columns_only()
    {
        await using var archiver = await TextsAsync();
        await archiver.Database.ExecuteAsync(
            "ALTER TABLE chats ADD UNIQUE (c); ALTER TABLE posts ADD CONSTRAINT by_c FOREIGN KEY (chat_c) "
                + "REFERENCES chats (c) ON DELETE CASCADE",
            Token
        );
        // The link itself may cascade then, any other key may not.
        archiver
            .With("Sources:main:Policies:idle:IdleFor", null)
            .With("Sources:main:Policies:idle:Scope", "Messages")
            .With("Sources:main:Policies:idle:MessagesOlderThan", "90d");

        var plan = await archiver.RunAsync("plan");

        Assert.True(plan.ExitCode == 3, plan.Error);
        Assert.Contains("\"by_c\"", plan.Error, StringComparison.Ordinal);
    }
}

using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>A key that had other columns before, and verbs that were killed between their steps.</summary>
public sealed class CompositeKeyChangeTests(TestServers servers) : CompositeKeys(servers)
{
    [Fact]
    public async Task Archives_of_the_time_when_the_key_had_one_column_are_listed_and_shown_and_stop_nothing()
    {
        await using var archiver = await TextsAsync();
        archiver.With("Sources:main:Policies:idle:DeleteAfter", "1d");
        await DoneAsync(archiver, "archive");
        await archiver.Database.ExecuteAsync(
            "UPDATE archiver.archives SET session_id = 'one', stored_at = now() - interval '2 days'",
            Token
        );

        await DoneAsync(archiver, "archive");

        Assert.Equal("2 4 8", await CountsAsync(archiver));
        Assert.Equal(
            ["one", Id],
            (await archiver.Database.ScalarAsync<string[]>("SELECT array_agg(session_id ORDER BY id) FROM archiver.archives", Token))!
        );
        await DoneAsync(archiver, "show", "one");
        await DoneAsync(archiver, "hold", "add", "--session", "one", "--reason", "case");
        await DoneAsync(archiver, "verify", "--all");
        await DoneAsync(archiver, "reconcile");
    }

    [Fact]
    public async Task Other_columns_as_the_key_are_refused_while_archives_go_by_these()
    {
        await using var archiver = await TextsAsync();
        await DoneAsync(archiver, "archive");
        foreach (
            var (child, last) in new[]
            {
                ("Session:Key", "a"),
                ("Children:messages:ForeignKey", "chat_a"),
                ("Children:messages:ParentKey", "a"),
            }
        )
        {
            archiver
                .With($"Sources:main:Tables:{child}:1", null)
                .With($"Sources:main:Tables:{child}:2", null)
                .With($"Sources:main:Tables:{child}:0", last);
        }

        var refused = await archiver.RunAsync("list");

        Assert.True(refused.ExitCode == 3, refused.Error);
        Assert.Contains(
            "by column [\"a\",\"b\",\"c\"] in this ledger, and the configuration maps \"a\" as Key",
            refused.Error,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(
        "archive",
        "archive.exported",
        "archive.object-stored",
        "archive.rows-deleted",
        "archive.delete-ready",
        "archive.delete-committed"
    )]
    [InlineData("restore", "restore.staged", "restore.inserted", "restore.committed")]
    [InlineData("erase", "erase.buried", "erase.rows-deleted", "erase.objects-removed")]
    public async Task Killed_between_its_steps_and_given_again_a_verb_ends_as_if_it_had_not_been(string verb, params string[] points)
    {
        await using var archiver = await TextsAsync();
        var rows = await RowsAsync(archiver);
        if (verb != "archive")
            await DoneAsync(archiver, "archive");
        if (verb == "erase")
        {
            await DoneAsync(archiver, "restore", Id);
            await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'", Token);
        }
        string[] command = verb switch
        {
            "archive" => ["archive"],
            "restore" => ["restore", Id, "--on-conflict", "skip"],
            _ => ["erase", Id, "--yes"],
        };
        foreach (var point in points)
        {
            await using var killed = archiver.Start(ProcessFault.At(point), command);
            var result = await killed.WaitForExitAsync(Token);
            // What an earlier crash left done does not come to the point again.
            Assert.True(result.ExitCode is ProcessFault.Killed or 0, result.Error);
        }

        await DoneAsync(archiver, command);

        if (verb == "restore")
            Assert.Equal(rows, await RowsAsync(archiver));
        else
            Assert.Equal("1 2 4", await CountsAsync(archiver));
        if (verb == "archive")
            await DoneAsync(archiver, "restore", Id);
        if (verb == "archive")
            Assert.Equal(rows, await RowsAsync(archiver));
    }
}

using System.Text;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>An erasure is complete only when nothing is left, and what is called there, gone or the same is what the rows say.</summary>
public sealed class ErasureEdgeTests(TestServers servers) : ErasedChats(servers)
{
    [Fact]
    public async Task Rows_that_came_after_their_session_was_archived_are_erased_with_it()
    {
        await using var archiver = await ChatsAsync();
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await archiver.Database.ExecuteAsync(
            "INSERT INTO messages VALUES (22, 1, 'late: the user still had the tab open'), (17, 7, 'of a chat that never was')"
        );
        Assert.Contains("2 rows of 'messages' without a parent", (await archiver.RunAsync("reconcile")).Output, StringComparison.Ordinal);

        var erased = await archiver.RunAsync("erase", "1", "--yes");

        Assert.Equal(0, erased.ExitCode);
        Assert.Contains("main: 1 row, 1 archive", erased.Output, StringComparison.Ordinal);
        Assert.Contains("complete: nothing of it is left", erased.Output, StringComparison.Ordinal);
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM messages WHERE chat_id = 1"));
        // Known by its rows alone, it can be held and erased too.
        Assert.Equal(0, (await archiver.RunAsync("hold", "add", "--session", "7", "--reason", "case")).ExitCode);
        Assert.Equal(1, (await archiver.RunAsync("erase", "7", "--yes")).ExitCode);
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM messages WHERE chat_id = 7"));
        Assert.Equal(0, (await archiver.RunAsync("hold", "remove", "1")).ExitCode);
        Assert.Equal(0, (await archiver.RunAsync("erase", "7", "--yes")).ExitCode);
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM messages WHERE chat_id = 7"));
    }

    [Fact]
    public async Task Rows_whose_parent_row_is_gone_are_named_by_their_table_and_the_erasure_is_not_complete()
    {
        await using var archiver = await ChatsAsync();
        await archiver.Database.ExecuteAsync(
            "CREATE TABLE files (id int PRIMARY KEY, message_id int NOT NULL); CREATE INDEX ON files (message_id); "
                + "INSERT INTO files VALUES (1, 12), (2, 99)"
        );
        archiver
            .With("Sources:main:Tables:Children:files:Table", "files")
            .With("Sources:main:Tables:Children:files:Parent", "messages")
            .With("Sources:main:Tables:Children:files:ForeignKey", "message_id")
            .With("Sources:main:Tables:Children:files:ParentKey", "id")
            .With("Sources:main:Tables:Children:files:Key", "id")
            .With("Sources:main:Tables:Children:files:Order:0", "id");

        var erased = await archiver.RunAsync("erase", "2", "--yes");

        Assert.True(erased.ExitCode == 1, erased.Output + erased.Error);
        Assert.Contains("not erased: 1 row of 'files' has no parent row", erased.Output, StringComparison.Ordinal);
        Assert.Contains("NOT COMPLETE", erased.Output, StringComparison.Ordinal);
        Assert.Equal("2", await archiver.Database.ScalarAsync<string>("SELECT string_agg(id::text, ',') FROM files"));
        await archiver.Database.ExecuteAsync("DELETE FROM files");
        Assert.Equal(0, (await archiver.RunAsync("erase", "2", "--yes")).ExitCode);
    }

    [Fact]
    public async Task Archives_from_before_users_were_mapped_are_held_and_erased_with_their_user()
    {
        await using var archiver = await ChatsAsync();
        archiver.With("Sources:main:Tables:Session:User", null);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        archiver.With("Sources:main:Tables:Session:User", "owner");

        Assert.Contains(
            "it covers 1 session in the database and 2 archives",
            (await archiver.RunAsync("hold", "add", "--user", "ann", "--reason", "case")).Output,
            StringComparison.Ordinal
        );
        Assert.Equal(0, (await archiver.RunAsync("hold", "remove", "1")).ExitCode);
        var erased = await archiver.RunAsync("erase", "--user", "ann", "--yes");

        Assert.Equal(0, erased.ExitCode);
        Assert.Contains("erased 2 sessions", erased.Output, StringComparison.Ordinal);
        Assert.Equal("3", Assert.Single(await KeysAsync(archiver)).Split('/')[^1].Split('.')[0]);
        // What the documents said was learned: the other one is known to be Bob's now.
        Assert.Equal("bob", await archiver.Database.ScalarAsync<string>("SELECT user_id FROM archiver.archives WHERE state = 'archived'"));
    }

    [Fact]
    public async Task An_archive_of_an_unknown_user_that_cannot_be_read_is_named()
    {
        await using var archiver = await ChatsAsync();
        archiver.With("Sources:main:Tables:Session:User", null);
        await archiver.RunAsync("archive");
        var key = (await KeysAsync(archiver)).Single(k => k.EndsWith("/3.json.gz", StringComparison.Ordinal));
        await archiver.Bucket.PutRawAsync(key, Encoding.UTF8.GetBytes("damaged"), Token);
        archiver.With("Sources:main:Tables:Session:User", "owner");

        var erased = await archiver.RunAsync("erase", "--user", "ann", "--yes");

        Assert.Equal(1, erased.ExitCode);
        Assert.Contains($"not erased: '{key}' cannot be read", erased.Output, StringComparison.Ordinal);
        Assert.Contains("NOT COMPLETE", erased.Output, StringComparison.Ordinal);
        Assert.Contains("erased 2 sessions", erased.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Objects_of_a_ledger_that_was_lost_are_named_and_erased_after_a_rebuild()
    {
        await using var archiver = await ChatsAsync();
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");
        Assert.Equal(0, (await archiver.RunAsync("migrate")).ExitCode);

        var first = await archiver.RunAsync("erase", "--user", "ann", "--yes");
        Assert.Equal(1, first.ExitCode);
        Assert.Contains("of another ledger, as after a lost one: archiver ledger rebuild", first.Output, StringComparison.Ordinal);
        Assert.Contains("NOT COMPLETE", first.Output, StringComparison.Ordinal);
        Assert.Equal(2, (await KeysAsync(archiver)).Count);

        Assert.Equal(0, (await archiver.RunAsync("ledger", "rebuild")).ExitCode);
        var second = await archiver.RunAsync("erase", "--reapply", "--yes");
        var third = await archiver.RunAsync("erase", "1", "--yes");
        Assert.True(third.ExitCode == 0, second.Output + third.Output);
        Assert.EndsWith("/3.json.gz", Assert.Single(await KeysAsync(archiver)), StringComparison.Ordinal);
    }

    private static Task<IReadOnlyList<string>> KeysAsync(Installation archiver) => archiver.Bucket.ListKeysAsync("chat_archives/2", Token);
}

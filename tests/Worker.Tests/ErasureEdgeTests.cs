using System.Text;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>An erasure is complete only when nothing is left, and what is called there, gone or the same is what the rows say.</summary>
public sealed class ErasureEdgeTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

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
    public async Task A_key_that_was_erased_may_live_again()
    {
        await using var archiver = await ChatsAsync();
        await archiver.RunAsync("archive");
        Assert.Equal(0, (await archiver.RunAsync("erase", "1", "--yes")).ExitCode);
        await TombstonesArePastAsync(archiver);
        await archiver.Database.ExecuteAsync(
            "INSERT INTO chats VALUES (1, 'carl', now() - interval '200 days', NULL); INSERT INTO "
                + "messages VALUES (21, 1, 'a new conversation')"
        );

        Assert.Contains("1 session archived", (await archiver.RunAsync("archive")).Output, StringComparison.Ordinal);

        Assert.Contains("1 session restored", (await archiver.RunAsync("restore", "1")).Output, StringComparison.Ordinal);
        Assert.Equal("a new conversation", await archiver.Database.ScalarAsync<string>("SELECT body FROM messages WHERE chat_id = 1"));
    }

    [Fact]
    public async Task A_session_that_no_restore_would_bring_back_is_not_deleted()
    {
        await using var archiver = await ChatsAsync();
        archiver.With("Sources:main:Tables:Session:Created", "created_at");
        await archiver.RunAsync("archive");
        Assert.Equal(0, (await archiver.RunAsync("erase", "1", "--yes")).ExitCode);
        await TombstonesArePastAsync(archiver);
        // As an application's own backup brings it back.
        await archiver.Database.ExecuteAsync(
            "INSERT INTO chats VALUES (1, 'ann', now() - interval '200 days', now() - interval '300 days')"
        );

        var run = await archiver.RunAsync("archive");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("1 session left: its id or user was erased after it began", run.Output, StringComparison.Ordinal);
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chats WHERE id = 1"));
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

    [Fact]
    public async Task Sessions_that_the_application_deleted_after_their_restore_are_not_called_there()
    {
        await using var archiver = await ChatsAsync();
        await archiver.RunAsync("archive");
        Assert.Contains(
            "2 sessions restored",
            (await archiver.RunAsync("restore", "--from", "2020-01-01")).Output,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "2 sessions there already",
            (await archiver.RunAsync("restore", "--from", "2020-01-01")).Output,
            StringComparison.Ordinal
        );
        await archiver.Database.ExecuteAsync("DELETE FROM messages WHERE chat_id = 1; DELETE FROM chats WHERE id = 1");

        var again = await archiver.RunAsync("restore", "--from", "2020-01-01");
        Assert.Equal(1, again.ExitCode);
        Assert.Contains("1 session there already", again.Output, StringComparison.Ordinal);
        Assert.Contains("the application has deleted it since", again.Output, StringComparison.Ordinal);

        var found = await archiver.RunAsync("reconcile");
        Assert.Equal(1, found.ExitCode);
        Assert.Contains("1 session restored or stored, and deleted by the application since", found.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await archiver.RunAsync("reconcile", "--fix", "--yes")).ExitCode);
        Assert.Contains("bucket, ledger and rows agree", (await archiver.RunAsync("reconcile")).Output, StringComparison.Ordinal);
        Assert.Contains("1 session restored", (await archiver.RunAsync("restore", "1")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("archive")]
    [InlineData("archive", "--json")]
    [InlineData("restore", "1")]
    [InlineData("erase", "1", "--yes")]
    public async Task A_run_that_failed_says_why_on_its_last_line(params string[] arguments)
    {
        await using var archiver = await ChatsAsync();
        await archiver.RunAsync("archive");
        archiver.With("Storage:Bucket", "no-such-bucket");

        var result = await archiver.RunAsync(arguments);

        Assert.Equal(1, result.ExitCode);
        var last = result.Error.TrimEnd().Split('\n')[^1];
        Assert.StartsWith("archiver: ", last, StringComparison.Ordinal);
        Assert.Contains("no-such-bucket", last, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_was_refused_says_why_on_its_last_line()
    {
        await using var archiver = await ChatsAsync();
        await archiver.Database.ExecuteAsync("DROP INDEX messages_chat_id_idx");

        var result = await archiver.RunAsync("archive");

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("CREATE INDEX", result.Error.TrimEnd().Split("archiver: main/idle:")[^1], StringComparison.Ordinal);
    }

    private static Task<IReadOnlyList<string>> KeysAsync(Installation archiver) => archiver.Bucket.ListKeysAsync("chat_archives/2", Token);

    // A tombstone is of whole seconds, rounded up.
    private static Task TombstonesArePastAsync(Installation archiver) =>
        Eventually.TrueAsync(
            () => archiver.Database.ScalarAsync<bool>("SELECT clock_timestamp() > max(at) + interval '2 seconds' FROM archiver.audit"),
            Token
        );

    /// <summary>
    /// Chats 1 of Ann and 3 of Bob are idle, 2 of Ann is young; without foreign keys, as in Dify, Chatwoot and LangGraph.
    /// </summary>
    private async Task<Installation> ChatsAsync()
    {
        var archiver = await Installation.CreateAsync(servers, Token, idle: 0, young: 0);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE chats (id int PRIMARY KEY, owner text, updated_at timestamptz NOT NULL, created_at timestamptz);
            CREATE TABLE messages (id int PRIMARY KEY, chat_id int NOT NULL, body text);
            CREATE INDEX ON messages (chat_id); CREATE INDEX ON chats (updated_at, id);
            INSERT INTO chats VALUES (1, 'ann', now() - interval '200 days', now() - interval '300 days'), (2, 'ann', now(), now()),
              (3, 'bob', now() - interval '200 days', now() - interval '300 days');
            INSERT INTO messages SELECT 10 + id, id, 'old' FROM chats;
            """
        );
        return archiver
            .With("Sources:main:Preset", null)
            .With("Sources:main:Tables:Session:Table", "chats")
            .With("Sources:main:Tables:Session:Key", "id")
            .With("Sources:main:Tables:Session:Activity:0", "updated_at")
            .With("Sources:main:Tables:Session:User", "owner")
            .With("Sources:main:Tables:Children:messages:Table", "messages")
            .With("Sources:main:Tables:Children:messages:ForeignKey", "chat_id")
            .With("Sources:main:Tables:Children:messages:ParentKey", "id")
            .With("Sources:main:Tables:Children:messages:Key", "id")
            .With("Sources:main:Tables:Children:messages:Order:0", "id");
    }
}

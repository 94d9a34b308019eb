using Archiver.Testing;
using static Archiver.Worker.Tests.PartTables;

namespace Archiver.Worker.Tests;

/// <summary>
/// Parts of sessions in what comes later: the whole session's archive, a lost ledger, another database, an erasure, and a session that its
/// user deleted.
/// </summary>
public sealed class PartRestoreTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_that_was_wholly_archived_later_comes_back_with_all_its_parts()
    {
        var (archiver, rows) = await TwoPartsAndTheRestAsync(servers);
        await using var owned = archiver;

        await archiver.DoAsync("verify", "--all", "--restore-drill", "9");
        await archiver.DoAsync("reconcile", "--fix", "--yes");
        Assert.Equal("1 part archived, 2 part archived, 3 archived", await StatesAsync(archiver));
        Assert.Contains("would be restored", await archiver.DoAsync("restore", "1", "--dry-run"), StringComparison.Ordinal);
        // One of its archives alone leaves the others as they are.
        await archiver.DoAsync("restore", "1", "--generation", "3");
        Assert.Equal("1 part archived, 2 part archived, 3 restored", await StatesAsync(archiver));
        await archiver.DoAsync("restore", "--user", "owner 1");

        Assert.Equal(rows, await archiver.AllRowsAsync());
        Assert.Equal("1 part restored, 2 part restored, 3 restored", await StatesAsync(archiver));
        Assert.Contains("\"already_there\":3", await archiver.DoAsync("restore", "--user", "owner 1", "--json"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Session")]
    [InlineData("Bundle")]
    public async Task A_rebuilt_ledger_knows_parts_and_the_session(string layout)
    {
        var (archiver, rows) = await TwoPartsAndTheRestAsync(servers, layout);
        await using var owned = archiver;
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);

        await archiver.DoAsync("ledger", "rebuild");

        Assert.Equal("1 part archived, 2 part archived, 3 archived", await StatesAsync(archiver));
        Assert.Equal(0, (await archiver.RunAsync("reconcile")).ExitCode);
        await archiver.DoAsync("restore", "1");
        Assert.Equal(rows, await archiver.AllRowsAsync());
    }

    [Fact]
    public async Task Without_a_ledger_the_bucket_gives_the_session_and_all_its_parts()
    {
        var (archiver, rows) = await TwoPartsAndTheRestAsync(servers);
        await using var owned = archiver;
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE", Token);

        await archiver.DoAsync("restore", "1", "--on-conflict", "skip");

        Assert.Equal(rows, await archiver.AllRowsAsync());
    }

    [Fact]
    public async Task Another_database_gets_the_session_with_its_parts()
    {
        var (archiver, _) = await TwoPartsAndTheRestAsync(servers);
        await using var owned = archiver;
        await using var other = await TestDatabase.CreateAsync(servers, Token);
        await other.ExecuteAsync(Channels.Tables + $"TRUNCATE {string.Join(", ", Tables)}", Token);

        await archiver.DoAsync("restore", "1", "--to", other.ConnectionString);

        Assert.Equal(12, await other.ScalarAsync<long>("SELECT count(*) FROM posts", Token));
        Assert.Equal(
            "12 2 1",
            await other.ScalarAsync<string>(
                "SELECT concat_ws(' ', (SELECT count(*) FROM attachments), (SELECT count(*) "
                    + "FROM members), (SELECT count(*) FROM channels))",
                Token
            )
        );
    }

    [Fact]
    public async Task A_question_is_answered_with_every_part_whose_messages_are_not_back()
    {
        await using var archiver = await Channels.CreateAsync(servers);
        await archiver.DoAsync("archive");
        const string count = "SELECT count(*) FROM messages WHERE session_id = '1'";
        Assert.Equal("7", (await archiver.DoAsync("query", count, "--csv")).Split('\n')[1].Trim());

        await archiver.DoAsync("restore", "1");

        Assert.Equal("0", (await archiver.DoAsync("query", count, "--csv")).Split('\n')[1].Trim());
    }

    // A copy of the whole session waits for its delete under the name of a policy that takes parts now.
    [Fact]
    public async Task A_policy_that_takes_parts_deletes_no_session_that_it_stored_before()
    {
        await using var archiver = await Channels.CreateAsync(
            servers,
            "UPDATE channels SET active_at = now() - interval '1 year' WHERE id "
                + "= 1; UPDATE posts SET at = at - interval '100 days' WHERE channel_id = 1"
        );
        archiver
            .With($"{Channels.Policy}:Scope", null)
            .With($"{Channels.Policy}:MessagesOlderThan", null)
            .With($"{Channels.Policy}:IdleFor", "90d")
            .With($"{Channels.Policy}:DeleteAfter", "1ms");
        await archiver.DoAsync("archive");
        var rows = await archiver.AllRowsAsync();
        archiver
            .With($"{Channels.Policy}:Scope", "Messages")
            .With($"{Channels.Policy}:MessagesOlderThan", "90d")
            .With($"{Channels.Policy}:IdleFor", null)
            .With($"{Channels.Policy}:DeleteAfter", null)
            .With($"{Channels.Policy}:Where", "s.id = 1");

        await archiver.DoAsync("archive");

        Assert.Equal(("1 stored", rows), (await StatesAsync(archiver), await archiver.AllRowsAsync()));
    }

    // The restored whole is live: what is asked for are the older messages.
    [Fact]
    public async Task A_session_that_was_archived_and_restored_before_its_part_was_made_gets_its_messages_back()
    {
        await using var archiver = await Channels.CreateAsync(servers);
        archiver.With("Sources:main:Policies:whole:Action", "Archive").With("Sources:main:Policies:whole:IdleFor", "90d");
        await archiver.Database.ExecuteAsync(
            "UPDATE channels SET active_at = now() - interval '1 year' WHERE id = 1; UPDATE posts SET at "
                + "= at - interval '100 days' WHERE channel_id = 1",
            Token
        );
        await archiver.DoAsync("archive", "--policy", "whole");
        await archiver.DoAsync("restore", "1", "--reactivate");
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'", Token);
        await archiver.DoAsync("archive", "--policy", "old");
        Assert.Equal("", await archiver.PostsAsync(1));
        Assert.Equal("1 restored, 2 part archived", await StatesAsync(archiver));
        // Elsewhere the session and its part are wanted.
        await using var other = await TestDatabase.CreateAsync(servers, Token);
        await other.ExecuteAsync(Channels.Tables + $"TRUNCATE {string.Join(", ", Tables)}", Token);
        await archiver.DoAsync("restore", "1", "--to", other.ConnectionString);
        Assert.Equal(
            "2 12",
            await other.ScalarAsync<string>("SELECT concat_ws(' ', (SELECT count(*) FROM members), (SELECT count(*) FROM posts))", Token)
        );

        await archiver.DoAsync("restore", "1");

        Assert.Equal("0 1 2 3 4 5 6 7 8 9 10 11", await archiver.PostsAsync(1));
        Assert.Equal("1 restored, 2 part restored", await StatesAsync(archiver));
    }
}

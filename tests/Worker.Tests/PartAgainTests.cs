using Archiver.Testing;
using static Archiver.Worker.Tests.PartTables;

namespace Archiver.Worker.Tests;

/// <summary>Parts that were restored before, and parts of a session that is replaced: the rows say what is there, not the ledger.</summary>
public sealed class PartAgainTests(TestServers servers)
{
    private const string Delete = "DELETE FROM attachments WHERE post_id / 100 = 1; DELETE FROM posts WHERE channel_id = 1";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("DELETE FROM attachments WHERE post_id > 104; DELETE FROM posts WHERE id > 104", "0 1 2 3 4 ")]
    [InlineData($"{Delete}; DELETE FROM members WHERE channel_id = 1; DELETE FROM channels WHERE id = 1", "")]
    public async Task Messages_that_were_restored_and_deleted_since_come_back_to_whoever_names_their_session(string delete, string left)
    {
        await using var archiver = await Channels.CreateAsync(servers, "DELETE FROM attachments; DELETE FROM posts WHERE channel_id > 1");
        await archiver.DoAsync("archive");
        await archiver.DoAsync("restore", "1");
        await archiver.Database.ExecuteAsync(delete, Token);

        var again = await archiver.DoAsync("restore", "1");
        var there = await archiver.DoAsync("restore", "1");

        Assert.Equal($"{left}5 6 7 8 9 10 11", await archiver.PostsAsync(1));
        Assert.Contains("1 session restored with", again, StringComparison.Ordinal);
        Assert.Contains("1 session there already, unchanged", there, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_that_were_restored_and_edited_since_are_not_said_to_be_there_as_they_were()
    {
        await using var archiver = await Channels.CreateAsync(servers);
        await archiver.DoAsync("archive");
        await archiver.DoAsync("restore", "1");
        await archiver.Database.ExecuteAsync("UPDATE posts SET body = 'edited' WHERE id = 105", Token);
        var rows = await archiver.AllRowsAsync();

        var result = await archiver.RunAsync("restore", "1");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("not all of them as they were archived", result.Output, StringComparison.Ordinal);
        Assert.Equal(rows, await archiver.AllRowsAsync());
    }

    // Nobody named the session: what the application deleted stays deleted.
    [Theory]
    [InlineData($"{Delete} AND id > 102", "0 1 2", "not in the database any more")]
    [InlineData("DELETE FROM posts WHERE id = 107", "0 1 2 3 4 5 6 8 9 10 11", "not all of them as they were archived")]
    [InlineData("UPDATE posts SET body = 'edited' WHERE id = 107", "0 1 2 3 4 5 6 7 8 9 10 11", "not all of them as they were archived")]
    public async Task A_restore_by_user_says_that_messages_are_there_only_where_they_are(string change, string left, string reason)
    {
        await using var archiver = await Channels.CreateAsync(servers);
        await archiver.DoAsync("archive");
        await archiver.DoAsync("restore", "1");
        Assert.Contains("1 session there already", await archiver.DoAsync("restore", "--user", "owner 1"), StringComparison.Ordinal);
        await archiver.Database.ExecuteAsync(change, Token);
        var rows = await archiver.AllRowsAsync();

        foreach (var mode in new string[][] { ["--dry-run"], [] })
        {
            var result = await archiver.RunAsync(["restore", "--user", "owner 1", .. mode]);
            Assert.Equal(1, result.ExitCode);
            Assert.Contains(reason, result.Output, StringComparison.Ordinal);
        }

        Assert.Equal((left, rows), (await archiver.PostsAsync(1), await archiver.AllRowsAsync()));
    }

    [Fact]
    public async Task A_later_part_of_other_messages_does_not_say_that_those_of_an_older_part_are_there()
    {
        await using var archiver = await Channels.CreateAsync(servers);
        await archiver.DoAsync("archive");
        await archiver.DoAsync("restore", "1");
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = now() - interval '60 days'", Token);
        archiver.With($"{Channels.Policy}:MessagesOlderThan", "150d");
        await archiver.DoAsync("archive");
        Assert.Equal("0 1 2 3 4 5 6 7", await archiver.PostsAsync(1));
        await archiver.Database.ExecuteAsync("DELETE FROM posts WHERE id = 107", Token);

        var result = await archiver.RunAsync("restore", "1");

        Assert.Equal((1, "0 1 2 3 4 5 6 8 9 10 11"), (result.ExitCode, await archiver.PostsAsync(1)));
        Assert.Contains("not all of them as they were archived", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restored_messages_that_a_replacement_takes_away_come_back_after_it_to_whoever_names_their_user()
    {
        var (archiver, rows) = await TwoPartsAndTheRestAsync(servers);
        await using var owned = archiver;
        await archiver.DoAsync("restore", "1", "--generation", "1");

        await archiver.DoAsync("restore", "--user", "owner 1", "--on-conflict", "replace");

        Assert.Equal(rows, await archiver.AllRowsAsync());
    }

    [Theory]
    [InlineData("1")]
    [InlineData("--user", "owner 1")]
    public async Task Another_database_gets_the_messages_that_are_back_here(params string[] whose)
    {
        await using var archiver = await Channels.CreateAsync(servers);
        await archiver.DoAsync("archive");
        await archiver.DoAsync("restore", "1");
        await using var other = await TestDatabase.CreateAsync(servers, Token);
        await other.ExecuteAsync(Channels.Tables + $"TRUNCATE {string.Join(", ", Tables)}", Token);

        await archiver.DoAsync(["restore", .. whose, "--to", other.ConnectionString]);

        Assert.Equal(7, await other.ScalarAsync<long>("SELECT count(*) FROM posts", Token));
    }

    // The newer archive has the messages as they were last: the older one adds what is in none, and changes nothing.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Messages_that_were_archived_again_after_an_edit_come_back_as_they_were_last(bool wholly)
    {
        await using var archiver = await Channels.CreateAsync(servers);
        await archiver.DoAsync("archive");
        await archiver.DoAsync("restore", "1");
        await archiver.Database.ExecuteAsync(
            "UPDATE archiver.archives SET restored_at = now() - interval '60 days'; UPDATE posts SET body = 'edited' WHERE id = 105; "
                + "DELETE FROM attachments WHERE post_id = 106; DELETE FROM posts WHERE id = 106; UPDATE channels SET active_at = now() - "
                + "interval '1 year'",
            Token
        );
        // A young message keeps a whole session.
        if (wholly)
            archiver
                .With("Sources:main:Tables:Children:messages:Time", null)
                .With($"{Channels.Policy}:Scope", null)
                .With($"{Channels.Policy}:MessagesOlderThan", null)
                .With($"{Channels.Policy}:IdleFor", "90d");
        await archiver.Database.ExecuteAsync("UPDATE archiver.archives SET restored_at = restored_at - interval '1 day'", Token);
        var edited = await archiver.AllRowsAsync();
        await archiver.DoAsync("archive");
        Assert.NotEqual(edited, await archiver.AllRowsAsync());

        await archiver.DoAsync("restore", "1", "2", "3");

        Assert.Equal("0 1 2 3 4 5 7 8 9 10 11", await archiver.PostsAsync(1));
        Assert.Equal("edited", await archiver.Database.ScalarAsync<string>("SELECT body FROM posts WHERE id = 105", Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_restore_that_replaces_brings_the_parts_of_the_session_too(bool live)
    {
        var (archiver, rows) = await TwoPartsAndTheRestAsync(servers);
        await using var owned = archiver;
        if (live)
            await archiver.Database.ExecuteAsync(
                "INSERT INTO channels VALUES (1, 'another', 'owner 1', now()); INSERT INTO posts VALUES (199, 1, 'new', NULL, 1, now())",
                Token
            );
        Assert.Contains(
            "restored",
            await archiver.DoAsync("restore", "1", "--on-conflict", "replace", "--dry-run"),
            StringComparison.Ordinal
        );

        var replaced = await archiver.DoAsync("restore", "1", "--on-conflict", "replace");

        Assert.Contains("3 sessions restored", replaced, StringComparison.Ordinal);
        Assert.Equal(rows, await archiver.AllRowsAsync());
        Assert.Equal($"1 part restored, 2 part restored, 3 restored{(live ? ", 4 superseded" : "")}", await StatesAsync(archiver));
    }
}

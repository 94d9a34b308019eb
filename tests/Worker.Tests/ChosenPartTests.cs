using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Which messages of sessions that live on are taken, and which stay.</summary>
public sealed class ChosenPartTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // All of one instant but the first two, which are younger: the newest are told apart by their key, and exactly so many stay.
    [Theory]
    [InlineData(null, "4", "8 9 10 11", "0 1 2 3")]
    [InlineData("150d", "4", "8 9 10 11", "0 1 2 3")]
    [InlineData("150d", "11", "1 2 3 4 5 6 7 8 9 10 11", "0 1 2 3 4 5 6 7 8 9 10")]
    [InlineData("150d", "12", "0 1 2 3 4 5 6 7 8 9 10 11", "0 1 2 3 4 5 6 7 8 9 10 11")]
    public async Task Exactly_the_newest_messages_stay_whatever_their_age(string? olderThan, string keepLast, string ties, string times)
    {
        await using var archiver = await Channels.CreateAsync(
            servers,
            "UPDATE posts SET at = now() - interval '200 days' WHERE channel_id "
                + "= 1; UPDATE posts SET at = now() - interval '200 days' - (id % 100) * interval '1 day' WHERE channel_id = 2",
            olderThan,
            keepLast
        );
        var rows = await archiver.AllRowsAsync();
        var planned = await archiver.DoAsync("plan", "--json");

        await archiver.DoAsync("archive");

        Assert.Equal((ties, times), (await archiver.PostsAsync(1), await archiver.PostsAsync(2)));
        var taken = await archiver.Database.ScalarAsync<long>("SELECT coalesce(sum(rows_deleted), 0)::bigint FROM archiver.runs", Token);
        Assert.Contains($"\"rows\":{taken},", planned, StringComparison.Ordinal);
        await archiver.DoAsync("archive");
        Assert.Equal((ties, times), (await archiver.PostsAsync(1), await archiver.PostsAsync(2)));
        if (taken == 0)
            return;
        await archiver.DoAsync("restore", "1", "2", "3");
        Assert.Equal(rows, await archiver.AllRowsAsync());
    }

    [Fact]
    public async Task A_message_without_a_time_or_with_one_to_come_stays_and_takes_no_place_among_the_newest()
    {
        await using var archiver = await Channels.CreateAsync(
            servers,
            "UPDATE posts SET at = NULL WHERE id IN (103, 111); UPDATE posts "
                + "SET at = now() + interval '1 day' WHERE id = 107; UPDATE posts SET at = '-infinity' WHERE id = 106",
            keepLast: "2"
        );

        await archiver.DoAsync("archive");

        Assert.Equal("0 1 2 3 4 6 7 11", await archiver.PostsAsync(1));
    }

    [Fact]
    public async Task Held_deleted_pinned_and_other_sessions_stay_as_they_are()
    {
        await using var archiver = await Channels.CreateAsync(
            servers,
            "ALTER TABLE channels ADD COLUMN deleted_at timestamptz; UPDATE "
                + "channels SET deleted_at = now() WHERE id = 2; UPDATE channels SET pinned = true WHERE id = 3; INSERT INTO channels "
                + "VALUES (4, 't', 'o', now()); INSERT INTO posts VALUES (401, 4, 'old', NULL, 1, now() - interval '1 year')"
        );
        archiver.With("Sources:main:Tables:Session:Deleted", "deleted_at").With($"{Channels.Policy}:Where", "NOT s.pinned");
        await archiver.DoAsync("hold", "add", "--session", "1", "--reason", "case");

        await archiver.DoAsync("archive");

        Assert.Equal("0 1 2 3 4 5 6 7 8 9 10 11", await archiver.PostsAsync(1));
        Assert.Equal("0 1 2 3 4 5 6 7 8 9 10 11", await archiver.PostsAsync(2));
        Assert.Equal("0 1 2 3 4 5 6 7 8 9 10 11", await archiver.PostsAsync(3));
        Assert.Equal("", await archiver.PostsAsync(4));
    }

    // Post 10 answers 11, 9 answers 10; what a channel pins and what a young post answers stays, and with it what that one needs.
    [Fact]
    public async Task What_a_row_that_stays_points_to_stays_and_all_else_goes_and_comes_back()
    {
        await using var archiver = await Channels.CreateAsync(
            servers,
            """
            ALTER TABLE posts ADD COLUMN answers int REFERENCES posts; CREATE INDEX ON posts (answers);
            ALTER TABLE channels ADD COLUMN pinned_id int REFERENCES posts; CREATE INDEX ON channels (pinned_id);
            UPDATE posts SET answers = id + 1 WHERE id % 100 IN (9, 10);
            UPDATE posts SET answers = 110 WHERE id = 101; UPDATE channels SET pinned_id = 205 WHERE id = 2;
            CREATE TABLE bookmarks (attachment_id int REFERENCES attachments); CREATE INDEX
              ON bookmarks (attachment_id); INSERT INTO bookmarks VALUES (3081);
            """
        );
        var rows = await archiver.AllRowsAsync();

        await archiver.DoAsync("archive");

        Assert.Equal(
            ("0 1 2 3 4 10 11", "0 1 2 3 4 5", "0 1 2 3 4 8"),
            (await archiver.PostsAsync(1), await archiver.PostsAsync(2), await archiver.PostsAsync(3))
        );
        // What stays for another row's sake is not stored again and again.
        await archiver.DoAsync("archive");
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.objects", Token));
        // Once nothing needs it any more it goes too, as another part; the parts of a session come back in the order in which their rows
        // need each other.
        await archiver.Database.ExecuteAsync("UPDATE posts SET answers = NULL WHERE id = 101", Token);
        await archiver.DoAsync("archive");
        Assert.Equal("0 1 2 3 4", await archiver.PostsAsync(1));
        await archiver.DoAsync("restore", "--from", "2000-01-01");
        await archiver.Database.ExecuteAsync("UPDATE posts SET answers = 110 WHERE id = 101", Token);
        Assert.Equal(rows, await archiver.AllRowsAsync());
    }

    [Fact]
    public async Task A_trigger_that_counts_in_the_session_may_and_one_that_changes_another_row_stops_it()
    {
        await using var archiver = await Channels.CreateAsync(
            servers,
            """
            ALTER TABLE channels ADD COLUMN gone int NOT NULL DEFAULT 0;
            CREATE FUNCTION count_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE channels SET gone = gone + 1
              WHERE id = OLD.channel_id; RETURN OLD; END $$;
            CREATE TRIGGER t AFTER DELETE ON posts FOR EACH ROW EXECUTE FUNCTION count_gone();
            """
        );
        await archiver.DoAsync("archive");
        Assert.Equal("7 7 7", await archiver.Database.ScalarAsync<string>("SELECT string_agg(gone::text, ' ') FROM channels", Token));

        await archiver.Database.ExecuteAsync(
            "UPDATE posts SET at = now() - interval '91 days' WHERE id % 100 = 4; CREATE OR REPLACE "
                + "FUNCTION count_gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE members SET name = 'x' WHERE channel_id = "
                + "OLD.channel_id; RETURN OLD; END $$",
            Token
        );
        var refused = await archiver.RunAsync("archive");

        Assert.Equal(1, refused.ExitCode);
        Assert.Equal("0 1 2 3 4", await archiver.PostsAsync(1));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM members WHERE name = 'x'", Token));
    }
}

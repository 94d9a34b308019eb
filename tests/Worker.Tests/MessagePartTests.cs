using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// <c>Scope: Messages</c> of <c>Archive</c>: old messages of sessions that live on are archived as parts, and come back beside the live
/// ones.
/// </summary>
public sealed class MessagePartTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // The age of sessions is no age of messages: what to write instead is said.
    [Fact]
    public async Task A_channel_that_never_rests_loses_its_old_posts_to_a_part_and_gets_them_back()
    {
        await using var archiver = await Installation.CreateAsync(
            servers,
            """
            CREATE TABLE channels (id int PRIMARY KEY, active_at timestamptz NOT NULL); CREATE TABLE posts (id int PRIMARY KEY,
              channel_id int NOT NULL REFERENCES channels, at timestamptz NOT NULL); CREATE INDEX ON posts (channel_id); CREATE INDEX
                ON channels (active_at, id);
            INSERT INTO channels VALUES (1, now()); INSERT INTO posts SELECT g, 1, now() - g * interval '30 days'
              FROM generate_series(0, 20) g;
            """,
            Token
        );
        foreach (
            var (key, value) in new Dictionary<string, string>
            {
                ["Session:Table"] = "channels",
                ["Session:Key"] = "id",
                ["Session:Activity:0"] = "active_at",
                ["Children:messages:Table"] = "posts",
                ["Children:messages:ForeignKey"] = "channel_id",
                ["Children:messages:ParentKey"] = "id",
                ["Children:messages:Key"] = "id",
                ["Children:messages:Order:0"] = "id",
                ["Children:messages:Time"] = "at",
            }
        )
            archiver.With($"Sources:main:Tables:{key}", value);
        var rows = await archiver.Database.CopyOutAsync("SELECT * FROM posts ORDER BY id");
        archiver.With("Sources:main:Policies:idle:Scope", "Messages");
        var refused = await archiver.RunAsync("plan");
        Assert.Equal(2, refused.ExitCode);
        Assert.Contains("MessagesOlderThan", refused.Error, StringComparison.Ordinal);

        archiver.With("Sources:main:Policies:idle:IdleFor", null).With("Sources:main:Policies:idle:MessagesOlderThan", "90d");
        await archiver.DoAsync("migrate");
        Assert.Contains("18 rows", await archiver.DoAsync("plan"), StringComparison.Ordinal);
        await archiver.DoAsync("archive");

        Assert.Equal("0 1 2", await archiver.PostsAsync(1));
        Assert.Equal(
            "archived t 18 18",
            await archiver.Database.ScalarAsync<string>(
                "SELECT concat_ws(' ', a.state, a.part, "
                    + "a.message_count, r.rows_deleted) FROM archiver.archives AS a JOIN archiver.runs AS r ON r.id = a.run_id",
                Token
            )
        );
        await archiver.DoAsync("restore", "1");
        Assert.Equal(rows, await archiver.Database.CopyOutAsync("SELECT * FROM posts ORDER BY id"));
    }

    [Fact]
    public async Task Every_byte_comes_back_and_each_verb_knows_that_the_session_lives()
    {
        await using var archiver = await Channels.CreateAsync(servers);
        var rows = await archiver.AllRowsAsync();

        await archiver.DoAsync("archive");

        Assert.Equal("0 1 2 3 4", await archiver.PostsAsync(2));
        Assert.Equal(
            "3 6 3",
            await archiver.Database.ScalarAsync<string>(
                "SELECT concat_ws(' ', (SELECT count(*) FROM channels), (SELECT "
                    + "count(*) FROM members), (SELECT count(*) FROM archiver.archived_parts))",
                Token
            )
        );
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archived_sessions", Token));
        Assert.Contains("archived (part)", await archiver.DoAsync("list"), StringComparison.Ordinal);
        Assert.Contains("\"part\":true", await archiver.DoAsync("list", "--json"), StringComparison.Ordinal);
        var document = await archiver.DoAsync("show", "2");
        Assert.Contains("\"format\":\"archiver.part/1\"", document, StringComparison.Ordinal);
        Assert.Contains("\"members\":[]", document, StringComparison.Ordinal);
        Assert.Contains("no messages due", await archiver.DoAsync("explain", "2"), StringComparison.Ordinal);
        await archiver.DoAsync("verify", "--all", "--restore-drill", "3");
        Assert.Contains("takes 0 of 3 sessions", await archiver.DoAsync("plan"), StringComparison.Ordinal);
        await archiver.DoAsync("status");
        await archiver.DoAsync("reconcile", "--fix", "--yes");
        await archiver.DoAsync("archive");

        await archiver.DoAsync("restore", "1", "2", "3");

        Assert.Equal(rows, await archiver.AllRowsAsync());
        Assert.Equal(
            "restored restored restored",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(state, ' ') FROM archiver.archives", Token)
        );
        await archiver.DoAsync("reconcile", "--fix", "--yes");
        // In its grace a restored message stays.
        await archiver.DoAsync("archive");
        Assert.Equal(rows, await archiver.AllRowsAsync());
        // What is back is there, and nothing is inserted twice.
        Assert.Contains("already", await archiver.DoAsync("restore", "2"), StringComparison.Ordinal);
        await archiver.DoAsync("restore", "2", "--generation", "1");
        Assert.Equal(rows, await archiver.AllRowsAsync());
    }

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

    [Fact]
    public async Task Times_that_are_numbers_are_times_and_the_index_that_finds_them_is_offered()
    {
        await using var archiver = await Channels.CreateAsync(
            servers,
            "DROP INDEX posts_channel_id_at_idx; CREATE INDEX ON posts "
                + "(channel_id); ALTER TABLE posts ALTER at TYPE bigint USING (extract(epoch FROM at) * 1000)::bigint; UPDATE posts SET at "
                + "= 0 WHERE id = 111",
            keepLast: "6"
        );
        archiver
            .With("Sources:main:Tables:Children:messages:Time", null)
            .With("Sources:main:Tables:Children:messages:Time:Column", "at")
            .With("Sources:main:Tables:Children:messages:Time:As", "epoch-ms");
        const string index = """CREATE INDEX CONCURRENTLY ON "public"."posts" ("channel_id", "at")""";
        var plan = await archiver.RunAsync("plan");
        Assert.Contains(index, plan.Output + plan.Error, StringComparison.Ordinal);
        await archiver.Database.ExecuteAsync(index, Token);
        plan = await archiver.RunAsync("plan");
        Assert.DoesNotContain(index, plan.Output + plan.Error, StringComparison.Ordinal);

        await archiver.DoAsync("archive");

        // 0 is not set.
        Assert.Equal(("0 1 2 3 4 5 11", "0 1 2 3 4 5"), (await archiver.PostsAsync(1), await archiver.PostsAsync(2)));
    }
}

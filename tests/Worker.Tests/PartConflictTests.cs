using Archiver.Testing;
using static Archiver.Worker.Tests.PartTables;

namespace Archiver.Worker.Tests;

/// <summary>Parts of sessions whose rows were changed, erased or deleted since.</summary>
public sealed class PartConflictTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_written_and_edited_since_stay_beside_the_restored_ones_and_the_sessions_row_as_it_is()
    {
        await using var archiver = await Channels.CreateAsync(servers);
        await archiver.DoAsync("archive");
        await archiver.Database.ExecuteAsync(
            "UPDATE channels SET title = 'renamed' WHERE id = 1; UPDATE posts SET body = 'edited' WHERE "
                + "id = 101; INSERT INTO posts VALUES (150, 1, 'new', NULL, 1, now()); INSERT INTO members VALUES (99, 1, 'new')",
            Token
        );

        await archiver.DoAsync("restore", "1");

        Assert.Equal("0 1 2 3 4 5 6 7 8 9 10 11 50", await archiver.PostsAsync(1));
        Assert.Equal(
            "renamed edited",
            await archiver.Database.ScalarAsync<string>(
                "SELECT c.title || ' ' || p.body FROM channels AS c, posts AS p WHERE c.id = 1 AND p.id = 101",
                Token
            )
        );
    }

    [Fact]
    public async Task A_message_that_has_another_content_by_now_is_not_written_over_and_nothing_else_of_its_part_comes()
    {
        await using var archiver = await Channels.CreateAsync(servers);
        await archiver.DoAsync("archive");
        await archiver.Database.ExecuteAsync("INSERT INTO posts VALUES (105, 1, 'another', NULL, 1, now())", Token);
        foreach (var mode in new[] { "fail", "skip", "replace" })
        {
            var refused = await archiver.RunAsync("restore", "1", "--on-conflict", mode);
            Assert.Equal(1, refused.ExitCode);
            Assert.Contains("some of its messages are in the database", refused.Error + refused.Output, StringComparison.Ordinal);
        }
        Assert.Equal("0 1 2 3 4 5", await archiver.PostsAsync(1));
        Assert.Equal("1 part archived", await StatesAsync(archiver));
    }

    [Fact]
    public async Task A_session_that_its_user_deleted_comes_back_only_to_whoever_names_it()
    {
        await using var archiver = await Channels.CreateAsync(servers);
        await archiver.DoAsync("archive");
        await archiver.Database.ExecuteAsync(
            "DELETE FROM attachments WHERE id / 1000 = 1; DELETE FROM posts WHERE channel_id = 1; DELETE "
                + "FROM members WHERE channel_id = 1; DELETE FROM channels WHERE id = 1",
            Token
        );

        var bulk = await archiver.RunAsync("restore", "--from", "2000-01-01");

        Assert.Equal(1, bulk.ExitCode);
        Assert.Contains("the application has deleted since", bulk.Error + bulk.Output, StringComparison.Ordinal);
        Assert.Equal(("", "0 1 2 3 4 5 6 7 8 9 10 11"), (await archiver.PostsAsync(1), await archiver.PostsAsync(2)));
        await archiver.DoAsync("restore", "1");
        Assert.Equal("5 6 7 8 9 10 11", await archiver.PostsAsync(1));
        Assert.Equal("channel 1", await archiver.Database.ScalarAsync<string>("SELECT title FROM channels WHERE id = 1", Token));
    }

    // A ledger of before has parts that a purge called superseded.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_session_that_was_purged_comes_back_to_whoever_names_it_with_all_its_parts_restored_before_or_not(bool upgrade)
    {
        await using var archiver = await Channels.CreateAsync(servers, "ALTER TABLE channels ADD deleted_at timestamptz");
        archiver
            .With("Sources:main:Tables:Session:Deleted", "deleted_at")
            .With("Sources:main:Policies:end:Action", "Purge")
            .With("Sources:main:Policies:end:DeletedFor", "1d");
        await archiver.DoAsync("archive");
        await archiver.DoAsync("archive", "--policy", "old", $"--Archiver:{Channels.Policy}:MessagesOlderThan=50d");
        await archiver.DoAsync("restore", "1", "--generation", "1");
        Assert.Equal("0 1 2 5 6 7 8 9 10 11", await archiver.PostsAsync(1));
        await archiver.Database.ExecuteAsync(
            "UPDATE archiver.archives SET restored_at = now() - interval '60 days' WHERE state = 'restored'; UPDATE channels SET "
                + "deleted_at = now() - interval '2 days' WHERE id = 1",
            Token
        );
        await archiver.DoAsync("purge", "--policy", "end");
        Assert.Equal("", await archiver.PostsAsync(1));
        if (upgrade)
        {
            await archiver.Database.ExecuteAsync(
                "UPDATE archiver.archives SET state = 'superseded', reason = 'purged', ended_at = now() WHERE state = 'restored'; DELETE "
                    + "FROM archiver.migrations WHERE version = 18",
                Token
            );
            await archiver.DoAsync("migrate");
        }
        Assert.Equal("1 part restored, 2 part archived", await StatesAsync(archiver));

        await archiver.DoAsync("restore", "1");

        Assert.Equal("3 4 5 6 7 8 9 10 11", await archiver.PostsAsync(1));
        Assert.Equal("1 part restored, 2 part restored", await StatesAsync(archiver));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("--user", "owner 1")]
    public async Task An_erasure_finds_the_parts_and_the_live_rows(params string[] whom)
    {
        await using var archiver = await Channels.CreateAsync(servers);
        await archiver.DoAsync("archive");
        Assert.Equal(3, (await ArchivesAsync(archiver)).Count);

        await archiver.DoAsync(["erase", .. whom, "--yes"]);

        Assert.Equal("", await archiver.PostsAsync(1));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM channels WHERE id = 1", Token));
        Assert.Equal(
            1,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE part AND state = 'erased'", Token)
        );
        Assert.Equal(2, (await ArchivesAsync(archiver)).Count);
        Assert.Equal(1, (await archiver.RunAsync("restore", "1")).ExitCode);
    }

    [Fact]
    public async Task A_session_of_several_key_columns_gives_its_old_messages_and_gets_them_back()
    {
        await using var archiver = await Installation.CreateAsync(
            servers,
            """
            CREATE TABLE sessions (app text, id int, seen timestamptz NOT NULL, PRIMARY KEY (app, id));
            CREATE TABLE events (n int PRIMARY KEY, app text NOT NULL, session_id int NOT NULL, at timestamptz NOT NULL,
              FOREIGN KEY (app, session_id) REFERENCES sessions);
            CREATE INDEX ON events (app, session_id, at); CREATE INDEX ON sessions (seen, app, id);
            INSERT INTO sessions SELECT a, i, now() FROM unnest(ARRAY['x', 'y']) AS a, generate_series(1, 2) AS i;
            INSERT INTO events SELECT row_number() OVER (ORDER BY s.app, s.id, g), s.app, s.id, now() - g * interval '40 days'
              FROM sessions AS s, generate_series(0, 5) AS g;
            """,
            Token
        );
        archiver
            .With("Sources:main:Policies:idle:IdleFor", null)
            .With("Sources:main:Policies:idle:Scope", "Messages")
            .With("Sources:main:Policies:idle:MessagesOlderThan", "90d")
            .With("Sources:main:Policies:idle:KeepLast", "4");
        foreach (
            var (key, value) in new (string, string)[]
            {
                ("Session:Table", "sessions"),
                ("Session:Key:0", "app"),
                ("Session:Key:1", "id"),
                ("Session:Activity:0", "seen"),
                ("Children:messages:Table", "events"),
                ("Children:messages:ForeignKey:0", "app"),
                ("Children:messages:ForeignKey:1", "session_id"),
                ("Children:messages:ParentKey:0", "app"),
                ("Children:messages:ParentKey:1", "id"),
                ("Children:messages:Key", "n"),
                ("Children:messages:Order:0", "n"),
                ("Children:messages:Time", "at"),
            }
        )
            archiver.With($"Sources:main:Tables:{key}", value);
        await archiver.DoAsync("migrate");
        var rows = await archiver.Database.CopyOutAsync("SELECT * FROM events ORDER BY n");
        var plan = await archiver.RunAsync("plan");
        Assert.DoesNotContain("CREATE INDEX", plan.Output + plan.Error, StringComparison.Ordinal);

        await archiver.DoAsync("archive");

        Assert.Equal(
            "4 4 4 4",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(c::text, ' ') FROM (SELECT count(*) AS c FROM events GROUP BY app, session_id) AS e",
                Token
            )
        );
        await archiver.DoAsync("restore", "[\"x\",\"1\"]", "[\"x\",\"2\"]", "[\"y\",\"1\"]", "[\"y\",\"2\"]");
        Assert.Equal(rows, await archiver.Database.CopyOutAsync("SELECT * FROM events ORDER BY n"));
    }

    private static async Task<List<string>> ArchivesAsync(Installation archiver) =>
        [
            .. (await archiver.Bucket.ListKeysAsync(cancellationToken: Token)).Where(k =>
                !k.Contains("/.archiver/", StringComparison.Ordinal)
            ),
        ];
}

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

using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Integration.Tests.Lifecycle;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>
/// Foreign keys among the mapped tables, in whatever order and in circles, and from elsewhere (docs/protocol.md rules 11 and 16).
/// </summary>
public sealed class ReferencedSessionsTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // The second child points to the first, the session to one of its messages, a message to the one before.
    private const string Tables = """
        CREATE TABLE chats (id int PRIMARY KEY, parent int, seen timestamptz NOT NULL, current int);
        CREATE TABLE msgs (id int PRIMARY KEY, chat int NOT NULL REFERENCES chats, before int REFERENCES msgs {0});
        CREATE TABLE files (id int PRIMARY KEY, chat int NOT NULL REFERENCES chats, msg int REFERENCES msgs {0});
        ALTER TABLE chats ADD FOREIGN KEY (current) REFERENCES msgs {0}, ADD FOREIGN KEY (parent) REFERENCES chats {0};
        CREATE INDEX ON msgs (chat); CREATE INDEX ON files (chat); CREATE INDEX ON files (msg); CREATE INDEX ON msgs (before); CREATE INDEX
          ON chats (current); CREATE INDEX ON chats (parent); CREATE INDEX ON chats (seen, id);
        INSERT INTO chats SELECT c, NULL, CASE WHEN c <= 4 THEN now() - interval '1 year' ELSE now() END FROM generate_series(1, 6) c;
        INSERT INTO msgs SELECT c * 10 + m, c, CASE WHEN m > 1 THEN c * 10 + m - 1 END
          FROM generate_series(1, 6) c, generate_series(1, 3) m;
        INSERT INTO files SELECT id * 10, chat, id FROM msgs;
        UPDATE chats SET current = id * 10 + 3;
        """;

    [Theory]
    [InlineData("", "a_files")]
    [InlineData("", "z_files")]
    [InlineData("ON DELETE RESTRICT", "a_files")]
    [InlineData("ON DELETE RESTRICT", "z_files")]
    [InlineData("DEFERRABLE INITIALLY DEFERRED", "a_files")]
    [InlineData("ON DELETE SET NULL", "a_files")]
    [InlineData("ON DELETE SET NULL", "z_files")]
    [InlineData("ON DELETE SET DEFAULT", "a_files")]
    [InlineData("ON DELETE CASCADE", "a_files")]
    [InlineData("ON DELETE CASCADE", "z_files")]
    public async Task Archives_and_purges_rows_that_point_to_each_other_whatever_their_tables_are_called(string rule, string name)
    {
        await using var archiver = await CreateAsync(rule, name);

        var archived = await archiver.RunAsync(PolicyRuns.Archive() with { MaxSessions = 2 }, Token);
        var purged = await archiver.RunAsync(PolicyRuns.Archive() with { Name = "purge", Action = PolicyAction.Purge }, Token);

        Assert.Equal((null, null), (archived.Error, purged.Error));
        Assert.Equal((2L, 2L), (archived.Sessions, purged.Sessions));
        Assert.Equal(
            "5,6|6|6",
            await archiver.Database.ScalarAsync<string>(
                "SELECT (SELECT string_agg(id::text, ',' ORDER BY id) FROM "
                    + "chats) || '|' || (SELECT count(*) FROM msgs) || '|' || (SELECT count(*) FROM files)"
            )
        );
    }

    [Theory]
    [InlineData("UPDATE chats SET parent = 1 WHERE id = 5", "1")]
    [InlineData("UPDATE files SET msg = 11 WHERE id = 510", "1")]
    [InlineData("CREATE TABLE pins (msg int REFERENCES msgs); CREATE INDEX ON pins (msg); INSERT INTO pins VALUES (11)", "1")]
    [InlineData("CREATE TABLE pins (msg int REFERENCES msgs); INSERT INTO pins VALUES (11)", "1")]
    [InlineData("CREATE TABLE pins (chat int REFERENCES chats); INSERT INTO pins VALUES (1), (2)", "1,2")]
    [InlineData("UPDATE chats SET parent = 1 WHERE id = 2; UPDATE chats SET parent = 2 WHERE id = 5", "1,2")]
    [InlineData("UPDATE chats SET parent = 1 WHERE id = 2; UPDATE msgs SET before = 21 WHERE id = 12", "")]
    public async Task Stores_nothing_of_a_session_that_rows_elsewhere_point_to(string points, string stay)
    {
        await using var archiver = await CreateAsync("", "a_files");
        await archiver.ExecuteAsync(points, null);
        var staying = stay.Split(',', StringSplitOptions.RemoveEmptyEntries).Length;

        var first = await archiver.RunAsync(Token);
        var second = await archiver.RunAsync(Token);

        Assert.Equal((null, null), (first.Error, second.Error));
        Assert.Equal((4L - staying, 0L), (first.Sessions, second.Sessions));
        Assert.Equal(
            string.Join(',', stay.Split(',', StringSplitOptions.RemoveEmptyEntries).Concat(["5", "6"])),
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(id::text, ',' ORDER BY id) FROM chats")
        );
        Assert.Equal(4 - staying, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
        Assert.Equal(4 - staying, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives"));
    }

    // The application's own deletes would change these rows; ours must not.
    [Theory]
    [InlineData("ON DELETE SET NULL", "UPDATE chats SET parent = 1 WHERE id = 5")]
    [InlineData("ON DELETE SET NULL", "UPDATE files SET msg = 11 WHERE id = 510")]
    [InlineData(
        "ON DELETE SET NULL",
        "DROP INDEX files_msg_idx; ALTER TABLE files ALTER chat DROP NOT NULL; INSERT INTO files VALUES (999, NULL, 11)"
    )]
    [InlineData("ON DELETE SET DEFAULT", "UPDATE msgs SET before = 11 WHERE id = 51")]
    [InlineData("ON DELETE CASCADE", "UPDATE msgs SET before = 11 WHERE id = 51")]
    [InlineData("ON DELETE CASCADE", "UPDATE chats SET parent = 1 WHERE id = 2; UPDATE chats SET parent = 2 WHERE id = 5", 2)]
    public async Task Changes_no_row_that_points_to_a_session_whatever_its_key_would_do(string rule, string points, int stay = 1)
    {
        await using var archiver = await CreateAsync(rule, "a_files");
        await archiver.ExecuteAsync(points, null);
        var others = await OthersAsync(archiver, stay);

        var first = await archiver.RunAsync(Token);
        var second = await archiver.RunAsync(Token);
        var purged = await archiver.RunAsync(PolicyRuns.Archive() with { Name = "purge", Action = PolicyAction.Purge }, Token);

        Assert.Equal((null, null, null), (first.Error, second.Error, purged.Error));
        Assert.Equal((4L - stay, 0L, 0L), (first.Sessions, second.Sessions, purged.Sessions));
        Assert.Equal((0L, 0L, 0L), (first.Failed, second.Failed, purged.Failed));
        Assert.Equal(others, await OthersAsync(archiver, stay));
    }

    // Selection did not see it: the delete finds it, and takes everything back that the key has changed.
    [Theory]
    [InlineData("ON DELETE SET NULL", "UPDATE files SET msg = 11 WHERE id = 510")]
    [InlineData("ON DELETE SET DEFAULT", "UPDATE chats SET current = 13 WHERE id = 6")]
    [InlineData("ON DELETE CASCADE", "UPDATE msgs SET before = 11 WHERE id = 51")]
    public async Task Changes_no_row_that_came_to_point_to_a_session_after_its_export(string rule, string points)
    {
        await using var archiver = await CreateAsync(rule, "a_files");
        archiver.Store = new HookedStore(archiver.Store) { BeforeFirstPut = () => archiver.ExecuteAsync(points, null) };

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((3L, 0L), (summary.Sessions, summary.Failed));
        Assert.Equal(1, summary.Reasons[DropReason.Referenced]);
        Assert.Equal(
            "1,5,6|9|9|1",
            await archiver.Database.ScalarAsync<string>(
                "SELECT (SELECT string_agg(id::text, ',' ORDER BY id) FROM chats) || '|' || (SELECT count(*) FROM msgs) || '|' || "
                    + "(SELECT count(*) FROM files) || '|' || (SELECT count(*) FROM (SELECT msg FROM files WHERE chat > 4 UNION ALL SELECT "
                    + "current FROM chats WHERE id > 4 UNION ALL SELECT before FROM msgs WHERE chat > 4) AS p WHERE p.msg IN (11, 13))"
            )
        );
    }

    [Fact]
    public async Task Plan_says_what_keeps_a_session_that_another_one_needs()
    {
        await using var archiver = await CreateAsync("", "a_files");
        await archiver.ExecuteAsync("UPDATE chats SET parent = 1 WHERE id = 5; UPDATE chats SET parent = 2 WHERE id = 3", null);
        await archiver.MigrateAsync(Token);

        var plan = await archiver.PlanAsync(PolicyRuns.Archive(), Token);

        Assert.Equal((3L, 1L), (plan.Plan.Eligible, plan.Plan.Excluded[DropReason.Referenced]));
    }

    [Fact]
    public async Task Explain_says_that_rows_elsewhere_point_to_a_session_although_no_index_finds_them()
    {
        await using var archiver = await CreateAsync("", "a_files");
        await archiver.ExecuteAsync("CREATE TABLE pins (msg int REFERENCES msgs); INSERT INTO pins VALUES (11)", null);
        await archiver.MigrateAsync(Token);
        var explainer = new Core.Selection.SessionExplainer(archiver.Settings, archiver.Catalog);

        var kept = await explainer.ExplainAsync(archiver.SourceWith([PolicyRuns.Archive()]), PolicyRuns.Archive(), "1", Token);
        var free = await explainer.ExplainAsync(archiver.SourceWith([PolicyRuns.Archive()]), PolicyRuns.Archive(), "2", Token);

        Assert.Equal([DropReason.Referenced], kept.Conditions.Where(c => !c.Met).Select(c => c.Condition.Reason));
        Assert.True(free.Eligible);
    }

    /// <summary>Every row of what stays, with its versions.</summary>
    private static async Task<string> OthersAsync(ArchiverFixture archiver, int stay) =>
        await archiver.Database.CopyOutAsync($"SELECT c.xmin, c.* FROM chats c WHERE id <= {stay} OR id > 4 ORDER BY id", Token)
        + await archiver.Database.CopyOutAsync($"SELECT m.xmin, m.* FROM msgs m WHERE chat <= {stay} OR chat > 4 ORDER BY id", Token)
        + await archiver.Database.CopyOutAsync(
            $"SELECT f.xmin, f.* FROM files f WHERE chat <= {stay} OR chat > 4 OR chat IS NULL ORDER BY id",
            Token
        );

    private async Task<ArchiverFixture> CreateAsync(string rule, string name)
    {
        var map = new SourceMap(
            new()
            {
                Table = new("public", "chats"),
                Key = "id",
                Activity = ["seen"],
            },
            [
                new()
                {
                    Name = name,
                    Table = new("public", "files"),
                    ForeignKey = "chat",
                    ParentKey = "id",
                    Order = ["id"],
                },
                new()
                {
                    Name = "messages",
                    Table = new("public", "msgs"),
                    ForeignKey = "chat",
                    ParentKey = "id",
                    Order = ["id"],
                },
            ]
        );
        var archiver = await ArchiverFixture.CreateAsync(
            servers,
            map with
            {
                Children = [.. map.Children.OrderBy(c => c.Name, StringComparer.Ordinal)],
            },
            null,
            null,
            Token
        );
        await archiver.ExecuteAsync(Tables.Replace("{0}", rule, StringComparison.Ordinal), null);
        return archiver;
    }
}

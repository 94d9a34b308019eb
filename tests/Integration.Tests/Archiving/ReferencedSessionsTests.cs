using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Integration.Tests.Lifecycle;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>
/// Foreign keys among the mapped tables, in whatever order and in circles, and from elsewhere (docs/protocol.md rules 11 and 16).
/// </summary>
public sealed class ReferencedSessionsTests(TestServers servers) : PointingTables(servers)
{
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

    // Rows below a message are tied to their session by it. Such a row that names no message, or one that is not there, is of no session.
    [Theory]
    [InlineData("INSERT INTO notes VALUES (1, NULL, 11, 'chat')")]
    [InlineData("INSERT INTO notes VALUES (1, 999, 11, 'chat')")]
    [InlineData("DROP INDEX notes_other_idx; INSERT INTO notes VALUES (1, 999, 11, 'chat')")]
    [InlineData("ALTER TABLE msgs ALTER chat DROP NOT NULL; INSERT INTO msgs VALUES (99); INSERT INTO notes VALUES (1, 99, 11, 'chat')")]
    // As is a row that says that it is of something else.
    [InlineData("INSERT INTO notes VALUES (1, 12, 11, 'ticket')")]
    [InlineData("ALTER TABLE notes ADD FOREIGN KEY (msg) REFERENCES msgs; INSERT INTO notes VALUES (1, 11, NULL, 'ticket')")]
    [InlineData("INSERT INTO notes VALUES (1, 12, 11, 'chat')", 0)]
    public async Task Stores_nothing_of_a_session_that_a_row_of_none_points_to(string points, int stay = 1)
    {
        await using var archiver = await CreateAsync("", "a_files", Notes);
        await archiver.ExecuteAsync(
            "CREATE TABLE notes (id int PRIMARY KEY, msg int, other int REFERENCES msgs, kind text); CREATE INDEX ON notes (msg); "
                + $"CREATE INDEX ON notes (other); {points}",
            null
        );

        var first = await archiver.RunAsync(Token);
        var second = await archiver.RunAsync(Token);
        var purged = await archiver.RunAsync(PolicyRuns.Archive() with { Name = "purge", Action = PolicyAction.Purge }, Token);

        Assert.Equal((null, null, null), (first.Error, second.Error, purged.Error));
        Assert.Equal((4L - stay, 0L, 0L), (first.Sessions, second.Sessions, purged.Sessions));
        Assert.Equal((0L, 0L, 0L), (first.Failed, second.Failed, purged.Failed));
        Assert.Equal(4 - stay, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives"));
        Assert.Equal(4 - stay, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
    }

    // A key onto one partition alone is left to the delete. What that finds again and again waits, as any session that fails.
    [Fact]
    public async Task A_session_that_the_server_keeps_for_a_key_that_selection_does_not_know_waits_as_one_that_failed()
    {
        await using var archiver = await CreateAsync("", "a_files");
        await archiver.ExecuteAsync(
            """
            ALTER TABLE files RENAME TO old;
            CREATE TABLE files (LIKE old) PARTITION BY LIST (chat);
            CREATE TABLE files1 PARTITION OF files FOR VALUES IN (1); CREATE TABLE others PARTITION OF files DEFAULT;
            INSERT INTO files TABLE old; DROP TABLE old;
            ALTER TABLE files1 ADD PRIMARY KEY (id); CREATE INDEX ON files (chat);
            CREATE TABLE pins (file int REFERENCES files1); CREATE INDEX ON pins (file); INSERT INTO pins VALUES (110);
            """,
            null
        );

        var first = await archiver.RunAsync(Token);
        var second = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, 3L, 1L), (first.Outcome, first.Sessions, first.Failed));
        Assert.Equal((1L, RunOutcome.Done, 0L), (first.Reasons[DropReason.Referenced], second.Outcome, second.Skipped));
        Assert.Equal("1", await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.quarantine"));
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

    private static ChildTable Notes =>
        new()
        {
            Name = "notes",
            Table = new("public", "notes"),
            Parent = "messages",
            ForeignKey = "msg",
            ParentKey = "id",
            Where = new Dictionary<string, string> { ["kind"] = "chat" },
            Order = ["id"],
        };

    /// <summary>Every row of what stays, with its versions.</summary>
    private static async Task<string> OthersAsync(ArchiverFixture archiver, int stay) =>
        await archiver.Database.CopyOutAsync($"SELECT c.xmin, c.* FROM chats c WHERE id <= {stay} OR id > 4 ORDER BY id", Token)
        + await archiver.Database.CopyOutAsync($"SELECT m.xmin, m.* FROM msgs m WHERE chat <= {stay} OR chat > 4 ORDER BY id", Token)
        + await archiver.Database.CopyOutAsync(
            $"SELECT f.xmin, f.* FROM files f WHERE chat <= {stay} OR chat > 4 OR chat IS NULL ORDER BY id",
            Token
        );
}

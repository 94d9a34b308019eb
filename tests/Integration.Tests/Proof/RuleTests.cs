using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Proof;

/// <summary>Rules of docs/protocol.md that no other test holds; docs/proof.md lists all with their tests.</summary>
public sealed class RuleTests(TestServers servers)
{
    private const int Idle = 4;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ALTER TABLE chat_messages ADD COLUMN added text NOT NULL DEFAULT 'added'")]
    [InlineData("ALTER TABLE chat_messages DROP COLUMN token_count; ALTER TABLE chat_messages ADD COLUMN token_count int DEFAULT 5")]
    [InlineData(
        "ALTER TABLE chat_messages RENAME COLUMN role TO token; ALTER TABLE chat_messages RENAME COLUMN token_count TO role; ALTER "
            + "TABLE chat_messages RENAME COLUMN token TO token_count; ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_role_check, "
            + "DROP CONSTRAINT chat_messages_token_count_check"
    )]
    public async Task Rule_1_stores_values_under_the_names_that_the_columns_have_at_the_export(string change)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var reached = InProcessFault.Once(FaultPoints.Selected, () => archiver.ExecuteAsync(change, null));
        var before = await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages", Token);

        var summary = await archiver.RunAsync(Token);

        Assert.True(reached());
        Assert.Null(summary.Error);
        Assert.Equal(Idle, summary.Sessions);
        var names = await archiver.Database.ScalarAsync<string>(
            "SELECT string_agg(attname || ':' || format_type(atttypid, atttypmod), ',' "
                + "ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'chat_messages'::regclass AND attnum > 0 AND NOT attisdropped",
            Token
        );
        foreach (var key in await archiver.Bucket.ListKeysAsync("chat_archives/2", Token))
        {
            await using var gzip = new System.IO.Compression.GZipStream(
                new MemoryStream(await archiver.Bucket.GetRawAsync(key, Token)),
                System.IO.Compression.CompressionMode.Decompress
            );
            using var document = await System.Text.Json.JsonDocument.ParseAsync(gzip, cancellationToken: Token);
            var columns = document.RootElement.GetProperty("tables").GetProperty("messages").GetProperty("columns");
            Assert.Equal(names, string.Join(',', columns.EnumerateObject().Select(c => $"{c.Name}:{c.Value.GetString()}")));
            // Every value is of the type that its name says.
            foreach (var row in document.RootElement.GetProperty("messages").EnumerateArray())
                Assert.All(row.EnumerateObject(), v =>
                    Assert.Equal(
                        columns.GetProperty(v.Name).GetString() is "integer" or "bigint",
                        v.Value.ValueKind == System.Text.Json.JsonValueKind.Number
                    )
                );
        }
        Assert.True(before > await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages", Token));
    }

    // What inspection would refuse at the beginning of a run it refuses in the middle of one, too.
    [Theory]
    [InlineData("ALTER TABLE heir INHERIT chat_messages", "Table public.heir inherits from public.chat_messages")]
    [InlineData("CREATE TABLE pins (id bigint REFERENCES chat_messages ON DELETE CASCADE)", "is ON DELETE CASCADE")]
    public async Task Rule_1_exports_no_tables_that_came_to_be_unfit_since_the_run_began(string change, string problem)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        await archiver.ExecuteAsync(
            """
            CREATE TABLE heir (LIKE chat_messages INCLUDING ALL);
            INSERT INTO heir SELECT m.* FROM chat_messages m ORDER BY m.timestamp LIMIT 1;
            ALTER TABLE heir ADD COLUMN extra text DEFAULT 'in no copy';
            """,
            null
        );
        var before = await CountAsync();
        var reached = InProcessFault.Once(FaultPoints.Selected, () => archiver.ExecuteAsync(change, null));

        var summary = await archiver.RunAsync(Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Failed, 0L), (summary.Outcome, summary.Sessions));
        Assert.Contains(problem, summary.Error, StringComparison.Ordinal);
        Assert.Equal(before, await CountAsync());
        Assert.Empty(await archiver.Bucket.ListKeysAsync("chat_archives/2", Token));

        Task<string?> CountAsync() =>
            archiver.Database.ScalarAsync<string?>(
                "SELECT (SELECT count(*) FROM chat_sessions) || ' ' || (SELECT count(*) FROM ONLY chat_messages) || ' ' || "
                    + "(SELECT count(*) FROM heir)",
                Token
            );
    }

    // The other table's rows were written by the same transaction to the same places: only the table tells them apart.
    [Fact]
    public async Task Rule_2_tells_an_attached_partition_from_the_one_that_was_exported()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Partitioned, null, null, Token);
        await archiver.ExecuteAsync(
            """
            CREATE TABLE chats (id int PRIMARY KEY, seen timestamptz NOT NULL);
            CREATE TABLE msgs (id int, chat int NOT NULL REFERENCES chats, text text) PARTITION BY LIST (chat);
            CREATE INDEX ON msgs (chat);
            CREATE TABLE msgs1 PARTITION OF msgs FOR VALUES IN (1);
            CREATE TABLE other (LIKE msgs1 INCLUDING ALL);
            INSERT INTO chats VALUES (1, now() - interval '1 year');
            INSERT INTO msgs1 VALUES (1, 1, 'exported');
            INSERT INTO other VALUES (1, 1, 'not exported');
            """,
            null
        );
        Assert.True(
            await archiver.Database.ScalarAsync<bool>(
                "SELECT (a.ctid, a.xmin::text) = (b.ctid, b.xmin::text) FROM msgs1 AS a, other AS b",
                Token
            )
        );
        InProcessFault.Once(FaultPoints.Exported, () =>
            archiver.ExecuteAsync(
                "ALTER TABLE msgs DETACH PARTITION msgs1; ALTER TABLE msgs ATTACH PARTITION other FOR VALUES IN (1)",
                null
            )
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((0L, 1L), (summary.Sessions, summary.Skipped));
        Assert.Equal("not exported", await archiver.Database.ScalarAsync<string>("SELECT text FROM msgs", Token));
    }

    [Fact]
    public async Task Rule_5_finds_the_one_session_whose_value_the_server_cannot_deliver()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        // A label that is gone from the catalog is as a page that is damaged: reading the value is an error.
        await archiver.ExecuteAsync("CREATE TYPE mood AS ENUM ('fine', 'broken'); ALTER TABLE chat_messages ADD COLUMN mood mood", null);
        await archiver.ExecuteAsync(
            "UPDATE chat_messages SET mood = 'broken' WHERE id = (SELECT max(id) FROM chat_messages WHERE session_id = $1)",
            session
        );
        await archiver.ExecuteAsync("DELETE FROM pg_enum WHERE enumlabel = 'broken'", null);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, Idle - 1L, 1L), (summary.Outcome, summary.Sessions, summary.Failed));
        Assert.Equal(
            session,
            await archiver.Database.ScalarAsync<string>(
                $"SELECT session_id FROM archiver.quarantine WHERE reason LIKE '{DropReason.Unreadable}%'",
                Token
            )
        );
    }

    [Fact]
    public async Task Rule_7_takes_no_export_from_a_server_that_does_not_have_the_run()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        InProcessFault.Once(FaultPoints.Selected, () => archiver.ExecuteAsync("DELETE FROM archiver.runs", null));

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Failed, 0L), (summary.Outcome, summary.Sessions));
        Assert.Contains("does not have this run's own record", summary.Error, StringComparison.Ordinal);
    }

    private static SourceMap Partitioned =>
        new(
            new()
            {
                Table = new("public", "chats"),
                Key = "id",
                Activity = ["seen"],
            },
            [
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
}

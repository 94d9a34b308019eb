using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>What is read of several tables for a batch, how often, and what the ledger then knows.</summary>
public sealed class BatchReadTests(TestServers servers) : UnevenSessions(servers)
{
    [Fact]
    public async Task Cuts_a_batch_of_several_tables_where_all_of_them_together_reach_the_bounds()
    {
        var map = new SourceMap(
            new()
            {
                Table = new("public", "chats"),
                Key = "id",
                Activity = ["seen"],
                User = "user_id",
            },
            [
                new()
                {
                    Name = "messages",
                    Table = new("public", "notes"),
                    ForeignKey = "chat",
                    ParentKey = "id",
                    Key = "id",
                    Order = ["id"],
                    Time = "at",
                },
                new()
                {
                    Name = "files",
                    Table = new("public", "files"),
                    Parent = "messages",
                    ForeignKey = "note",
                    ParentKey = "id",
                    Order = ["n"],
                },
                new()
                {
                    Name = "tags",
                    Table = new("public", "tags"),
                    ForeignKey = "chat",
                    ParentKey = "id",
                    Order = ["tag"],
                },
            ]
        );
        await using var archiver = await ArchiverFixture.CreateAsync(Servers, map, s => Bundled(s, b => b with { Rows = 20 }), null, Token);
        await archiver.Database.ExecuteAsync(
            """
            CREATE TABLE chats (id int PRIMARY KEY, user_id text, seen timestamptz NOT NULL);
            CREATE TABLE notes (id int PRIMARY KEY, chat int NOT NULL REFERENCES chats, at timestamp);
            CREATE TABLE files (n int PRIMARY KEY, note int NOT NULL REFERENCES notes);
            CREATE TABLE tags (chat int NOT NULL REFERENCES chats, tag text);
            CREATE INDEX ON notes (chat); CREATE INDEX ON files (note); CREATE INDEX ON tags (chat);
            INSERT INTO chats SELECT n, n, now() - interval '1 year' + n * interval '1 minute' FROM generate_series(0, 19) AS n;
            INSERT INTO notes SELECT n * 100 + m, n, localtimestamp - interval '1 year' - m * interval '1 hour'
              FROM generate_series(0, 19) AS n, generate_series(1, 1 + n % 5) AS m;
            INSERT INTO files SELECT id * 10 + f, id FROM notes, generate_series(1, 2) AS f WHERE chat % 3 = 1;
            INSERT INTO tags SELECT n, 't' || t
              FROM generate_series(0, 19) AS n, generate_series(1, CASE WHEN n % 7 = 6 THEN 16 ELSE n % 3 END) AS t;
            """,
            Token
        );
        var rows = await SizesAsync(
            archiver,
            """
            SELECT 1 + (SELECT count(*) FROM notes AS m WHERE m.chat = c.id) + (SELECT count(*) FROM files AS f JOIN notes AS m
              ON m.id = f.note WHERE m.chat = c.id)
              + (SELECT count(*) FROM tags AS t WHERE t.chat = c.id) FROM chats AS c ORDER BY c.id
            """
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 20L, rows.Sum()), (summary.Outcome, summary.Sessions, summary.Rows));
        var batches = await BatchesAsync(archiver);
        Assert.Equal(Enumerable.Range(0, 20), batches.SelectMany(b => b));
        Assert.All(batches, b => Assert.True(b.Length == 1 || b.Sum(n => rows[n]) <= 20, $"a batch of sessions {string.Join(", ", b)}"));
        Assert.Contains(batches, b => b.Length > 1);
    }

    /// <summary>The messages' sizes were asked for before the export: each message was read once more.</summary>
    // Its size is asked for before it is read, by the columns that the table has now.
    [Fact]
    public async Task Exports_a_session_that_goes_alone_after_a_column_was_dropped()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle: 1, young: 1);
        var reached = InProcessFault.Once(FaultPoints.Selected, () =>
            archiver.ExecuteAsync("ALTER TABLE chat_messages DROP COLUMN metadata", null)
        );

        var summary = await archiver.RunAsync(Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Done, 1L, 0L), (summary.Outcome, summary.Sessions, summary.Failed));
    }

    [Fact]
    public async Task Selects_the_next_page_after_a_column_was_dropped()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle: 4, configure: s =>
            Bundled(s, b => b with { Sessions = 2 })
        );
        InProcessFault.Once(FaultPoints.Selected, () => archiver.ExecuteAsync("ALTER TABLE chat_sessions DROP COLUMN metadata", null));

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, null, 4L), (summary.Outcome, summary.Error, summary.Sessions));
    }

    [Fact]
    public async Task Reads_a_message_once_to_store_it_and_once_to_delete_it()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle: 100, young: 1, messages: 20);
        var messages = await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages", Token);
        const string read = "SELECT idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'chat_messages'";
        var before = await archiver.Database.ScalarAsync<long>(read, Token);

        Assert.Equal(100, (await archiver.RunAsync(Token)).Sessions);
        // A server process tells what it read when it ends, if not before.
        await archiver.Database.ExecuteAsync(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            Token
        );
        await Eventually.TrueAsync(
            async () =>
                await archiver.Database.ScalarAsync<long>(
                    "SELECT n_tup_del FROM pg_stat_user_tables WHERE relname = 'chat_messages'",
                    Token
                ) >= 2000,
            Token
        );

        Assert.InRange(await archiver.Database.ScalarAsync<long>(read, Token) - before, 4000, 4000 + messages / 2);
    }

    /// <summary>The times of messages are counted by the export, too.</summary>
    [Theory]
    [InlineData("timestamptz")]
    [InlineData("timestamp")]
    [InlineData("date")]
    public async Task The_ledger_knows_the_first_and_last_time_of_a_sessions_rows(string type)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(Servers, Token, idle: 3, young: 1, messages: 2, configure: s =>
            s with
            {
                Sources = [s.Sources[0] with { TimeZone = "Asia/Kolkata" }],
            }
        );
        await archiver.Database.ExecuteAsync(
            $"""
            UPDATE chat_messages AS m SET timestamp = s.last_activity + interval '3 days 00:00:00.000001' FROM chat_sessions AS s
              WHERE s.session_id = m.session_id AND m.role = 'user';
            UPDATE chat_messages AS m SET timestamp = '-infinity'
              WHERE m.id IN (SELECT min(id) FROM chat_messages GROUP BY session_id LIMIT 1);
            UPDATE chat_messages AS m SET timestamp = '0044-03-15 12:00:00.5 BC'
              WHERE m.id IN (SELECT min(id) FROM chat_messages GROUP BY session_id OFFSET 1 LIMIT 1);
            ALTER TABLE chat_messages ALTER COLUMN timestamp TYPE {type};
            """,
            Token
        );
        var expected = await archiver.Database.ScalarAsync<string>(
            $"""
            SELECT string_agg(greatest(max, last_activity) || ' ' || least(min, created_at), E'\n' ORDER BY session_id)
            FROM chat_sessions JOIN (SELECT session_id, max({Instant(type)}), min({Instant(type)}) FROM chat_messages GROUP BY 1) AS m
              USING (session_id)
            WHERE last_activity < now() - interval '90 days'
            """,
            Token
        );

        await archiver.RunAsync(Token);

        Assert.Equal(
            expected,
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(session_last_activity || ' ' || session_first_activity, E'\\n' ORDER BY session_id) FROM "
                    + "archiver.archives",
                Token
            )
        );
    }

    private static string Instant(string type) => type == "timestamptz" ? "timestamp" : "timestamp::timestamp AT TIME ZONE 'Asia/Kolkata'";

    private static async Task<List<long>> SizesAsync(ArchiverFixture archiver, string sql) =>
        [
            .. (await archiver.Database.ScalarAsync<string>($"SELECT string_agg(s.n::text, ' ') FROM ({sql}) AS s (n)", Token))!
                .Split(' ')
                .Select(n => long.Parse(n, CultureInfo.InvariantCulture)),
        ];
}

using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>
/// A batch ends at its bounds while it is exported; what does not fit comes first into the next. One bundle a batch shows what was in each.
/// </summary>
public sealed class BatchCutTests(TestServers servers)
{
    private static readonly int[] Uneven = [3, 1, 4, 1, 5, 9, 2, 6, 0, 3, 5, 8, 9, 7, 9, 40, 2, 3, 8, 0, 25, 26, 1];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keeps_every_batch_within_its_rows_in_the_order_of_selection()
    {
        await using var archiver = await CreateAsync(b => b with { Rows = 12 });
        await FillAsync(archiver, Uneven, _ => 10);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, Uneven.Length, Uneven.Length), (summary.Outcome, summary.Sessions, summary.Selected));
        var batches = await BatchesAsync(archiver);
        Assert.Equal(Enumerable.Range(0, Uneven.Length), batches.SelectMany(b => b));
        Assert.All(batches, b =>
            Assert.True(b.Length == 1 || b.Sum(n => Uneven[n] + 1) <= 12, $"a batch of sessions {string.Join(", ", b)}")
        );
        // The first is full: nothing was known that could have made it smaller.
        Assert.Equal([0, 1, 2], batches[0]);
        Assert.True(batches.Count < Uneven.Length - 4, $"{batches.Count} batches");
    }

    /// <summary>What is left when a batch ends is more than another batch, so that the server is told to stop.</summary>
    [Fact]
    public async Task Keeps_every_batch_within_its_bytes()
    {
        int[] kilobytes = [20, 30, 60, 10, 90, 400, 5, 900, 900, 40, 50, 60, 70, 1, 1, 1];
        await using var archiver = await CreateAsync(b => b with { Bytes = 100_000 });
        await FillAsync(archiver, [.. kilobytes.Select(_ => 2)], n => kilobytes[n] * 500);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, kilobytes.Length), (summary.Outcome, summary.Sessions));
        var batches = await BatchesAsync(archiver);
        Assert.Equal(Enumerable.Range(0, kilobytes.Length), batches.SelectMany(b => b));
        Assert.All(batches, b =>
            Assert.True(b.Length == 1 || b.Sum(n => kilobytes[n]) <= 100, $"a batch of sessions {string.Join(", ", b)}")
        );
        Assert.Equal([0, 1], batches[0]);
    }

    /// <summary>Beside others the rows of all its tables but the last would be held in memory.</summary>
    [Fact]
    public async Task A_session_that_is_large_itself_goes_alone_although_the_bounds_have_room()
    {
        await using var archiver = await CreateAsync(b => b);
        await FillAsync(archiver, [2, 2, 9, 2, 2], n => n == 2 ? 1_000_000 : 10);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 5), (summary.Outcome, summary.Sessions));
        Assert.Equal(
            [
                [0, 1],
                [2],
                [3, 4],
            ],
            await BatchesAsync(archiver)
        );
    }

    [Fact]
    public async Task Counts_what_it_gives_back_against_the_most_that_a_run_may_take_only_once()
    {
        await using var archiver = await CreateAsync(b => b with { Rows = 12 });
        await FillAsync(archiver, Uneven, _ => 10);

        var summary = await new Core.Pipelines.PolicyRunner(
            archiver.Settings,
            archiver.Catalog,
            archiver.Store,
            TimeProvider.System,
            archiver.Events
        ).RunAsync(new RunRequest(archiver.Source, archiver.Policy, 7), null, Token);

        Assert.Equal((7L, 7L), (summary.Sessions, summary.Selected));
        Assert.Equal(Enumerable.Range(0, 7), (await BatchesAsync(archiver)).SelectMany(b => b));
    }

    /// <summary>Both go in the end: one whose reference stays for the next batch is left to the next run.</summary>
    [Fact]
    public async Task A_session_that_another_one_beyond_the_end_points_to_waits_for_it()
    {
        await using var archiver = await CreateAsync(b => b with { Rows = 7 });
        await archiver.Database.ExecuteAsync("ALTER TABLE chat_sessions ADD COLUMN follows uuid REFERENCES chat_sessions", Token);
        await FillAsync(archiver, [2, 2, 2, 2], _ => 10);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_sessions SET follows = (SELECT session_id FROM chat_sessions WHERE user_id = '1') WHERE user_id = '2'",
            Token
        );

        var first = await archiver.RunAsync(Token);
        var second = await archiver.RunAsync(Token);

        Assert.Equal((3L, 1L, 1L), (first.Sessions, first.Skipped, first.Reasons[DropReason.Referenced]));
        Assert.Equal((1L, 0L), (second.Sessions, second.Skipped));
    }

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
        await using var archiver = await ArchiverFixture.CreateAsync(servers, map, s => Bundled(s, b => b with { Rows = 20 }), null, Token);
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
    [Fact]
    public async Task Reads_a_message_once_to_store_it_and_once_to_delete_it()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 100, young: 1, messages: 20);
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
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, messages: 2, configure: s =>
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

    private Task<ArchiverFixture> CreateAsync(Func<BatchSettings, BatchSettings> batch) =>
        ArchiverFixture.CreateAsync(servers, Token, idle: 0, young: 1, messages: 1, configure: s => Bundled(s, batch));

    private static ArchiverSettings Bundled(ArchiverSettings settings, Func<BatchSettings, BatchSettings> batch) =>
        settings with
        {
            Batch = batch(settings.Batch),
            Storage = settings.Storage with { Layout = StorageLayout.Bundle },
        };

    /// <summary>Sessions in the order of their selection, with their number as their user.</summary>
    private static async Task FillAsync(ArchiverFixture archiver, int[] messages, Func<int, int> bytes)
    {
        for (var n = 0; n < messages.Length; n++)
            await archiver.Database.ExecuteAsync(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"""
                    WITH s AS (
                      INSERT INTO chat_sessions (session_id, user_id, created_at, last_activity)
                      SELECT gen_random_uuid(), '{n}', t, t FROM (SELECT now() - interval '300 days' + {n} * interval '1 hour' AS t) AS at
                        RETURNING session_id, last_activity
                    )
                    INSERT INTO chat_messages (session_id, role, content, timestamp) SELECT session_id, 'user', repeat('x', {bytes(n)}),
                      last_activity FROM s, generate_series(1, {messages[n]})
                    """
                ),
                Token
            );
    }

    /// <summary>The sessions' numbers, batch by batch.</summary>
    private static async Task<List<int[]>> BatchesAsync(ArchiverFixture archiver) => [.. (
                await archiver.Database.ScalarAsync<string>(
                    """
                    SELECT string_agg(b.users, ';' ORDER BY b.object_id)
                    FROM (SELECT a.object_id, string_agg(a.user_id, ' ' ORDER BY a.byte_offset) AS users FROM archiver.archives AS a
                      WHERE a.state = 'archived' GROUP BY 1) AS b
                    """,
                    Token
                )
            )!.Split(';').Select(b => b.Split(' ').Select(n => int.Parse(n, CultureInfo.InvariantCulture)).ToArray())];

    private static async Task<List<long>> SizesAsync(ArchiverFixture archiver, string sql) =>
        [
            .. (await archiver.Database.ScalarAsync<string>($"SELECT string_agg(s.n::text, ' ') FROM ({sql}) AS s (n)", Token))!
                .Split(' ')
                .Select(n => long.Parse(n, CultureInfo.InvariantCulture)),
        ];
}

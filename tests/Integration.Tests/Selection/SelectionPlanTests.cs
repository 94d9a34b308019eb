using System.Globalization;
using System.Text.RegularExpressions;
using Archiver.Core.Deletion;
using Archiver.Core.Export;
using Archiver.Core.Inspection;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Archiver.Integration.Tests.Selection;

/// <summary>
/// A batch costs the same however long the backlog and however large the table: it comes in keyset order straight from the policy's index.
/// </summary>
public sealed class SelectionPlanTests(TestServers servers)
{
    private const int Large = 200_000,
        Page = 1000,
        Days = 416;

    private static readonly Policy Idle = new()
    {
        Source = "main",
        Name = "policy",
        Action = PolicyAction.Archive,
        IdleFor = TimeSpan.FromDays(90),
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>
    /// Preset, session table, its key, columns of a row number <c>n</c> beside the key, and the policies that are natural for it.
    /// </summary>
    public static TheoryData<string, string, string, string, string> Presets =>
        new()
        {
            {
                "ended-at",
                "chat_sessions",
                "session_id",
                "last_activity, ended_at",
                "now() - n * interval '3 minutes', CASE n % 3 WHEN 0 THEN now() - n * interval '3 minutes' END"
            },
            {
                "last-accessed",
                "sessions",
                "id",
                "last_accessed, updated_at, expires_at",
                "now() - n * interval '3 minutes', now() - n * interval '3 minutes', CASE n % 3 WHEN 0 THEN now() - n * interval '3 "
                    + "minutes' END"
            },
            {
                "status-expiry",
                "sessions",
                "id",
                "session_id, updated_at, status, expires_at",
                "'s' || n, now() - n * interval '3 minutes', CASE n % 3 WHEN 0 THEN 'expired' ELSE 'active' END, CASE n % 3 WHEN 0 THEN "
                    + "now() - n * interval '3 minutes' END"
            },
            {
                "soft-delete",
                "chat_sessions",
                "id",
                "last_activity, deleted_at",
                "now() AT TIME ZONE 'UTC' - n * interval '3 minutes', CASE n % 3 WHEN 0 THEN now() - n * interval '3 minutes' END"
            },
        };

    [Theory]
    [MemberData(nameof(Presets))]
    public async Task Reads_a_batch_from_the_index_of_its_policy(string preset, string table, string key, string columns, string values)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, messages: 1, preset: preset);
        await FillAsync(archiver, table, key, columns, values, Large);

        foreach (var policy in Policies(preset))
        {
            var first = await ExplainAsync(archiver, policy, null);
            var later = await ExplainAsync(archiver, policy, new PageMark("2020-01-01 00:00:00+00", Guid.Empty.ToString()));

            Assert.All((string[])[first, later], plan =>
            {
                Assert.DoesNotContain($"Seq Scan on {table} ", plan, StringComparison.Ordinal);
                Assert.DoesNotContain("Seq Scan on chat_messages ", plan, StringComparison.Ordinal);
                Assert.DoesNotContain("Seq Scan on messages ", plan, StringComparison.Ordinal);
                Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
                Assert.Contains($"on {table} s", plan, StringComparison.Ordinal);
                Assert.Contains("Index Cond", plan, StringComparison.Ordinal);
            });
        }
    }

    /// <summary>
    /// Column type, form, a row number <c>n</c>'s time as the application writes it, and the same of the last row of a page.
    /// </summary>
    public static TheoryData<string, TimeForm, string, string> Forms =>
        new()
        {
            { "bigint", TimeForm.EpochMilliseconds, "(extract(epoch FROM {0}) * 1000)::bigint", "1000000000000" },
            { "double precision", TimeForm.EpochSeconds, "extract(epoch FROM {0})::float8", "1000000000.123456" },
            { "numeric", TimeForm.EpochMicroseconds, "extract(epoch FROM {0}) * 1000000", "1000000000123456" },
            { "text", TimeForm.Text, "to_char({0}, 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')", "2001-09-09T01:46:40.000Z" },
            {
                "uuid",
                TimeForm.UuidV7,
                "(lpad(to_hex((extract(epoch FROM {0}) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid",
                "00e8d4a5-1000-7000-8000-000000000000"
            },
            {
                "text",
                TimeForm.UuidV6,
                "'1e' || lpad(to_hex(15728639 - n * 16 / 10), 6, '0') || '-0000-6000-8000-000000000000'",
                "1d000000-0000-6000-8000-000000000000"
            },
        };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Reads_a_batch_from_the_index_of_a_column_whose_times_are_no_timestamps(
        string type,
        TimeForm form,
        string value,
        string last
    )
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, messages: 1, preset: "ended-at");
        await archiver.Database.ExecuteAsync(
            $"ALTER TABLE chat_sessions ADD COLUMN seen {type}; CREATE INDEX ON chat_sessions (seen, session_id)",
            Token
        );
        await FillAsync(
            archiver,
            "chat_sessions",
            "session_id",
            "seen",
            value.Replace("{0}", "(now() - n * interval '3 minutes')", StringComparison.Ordinal),
            Large / 2
        );
        var map = archiver.Source.Map;
        var source = archiver.Source with { Map = map with { Session = map.Session with { Activity = [new("seen") { As = form }] } } };

        foreach (var after in new[] { null, new PageMark(last, Guid.Empty.ToString()) })
        {
            var plan = await ExplainAsync(archiver, Idle, after, source: source);

            Assert.DoesNotContain("Seq Scan on chat_sessions", plan, StringComparison.Ordinal);
            Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
            Assert.Matches(@"Index Cond: \(.*seen", plan);
        }
    }

    /// <summary>Their keys come from the index, each is dated by it, and a page ends where it is full.</summary>
    [Fact]
    public async Task Reads_a_page_of_sessions_without_a_row_by_the_index_of_their_key()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, messages: 1, preset: "ended-at");
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE TABLE history (id bigserial PRIMARY KEY, chat text NOT NULL, at timestamptz NOT NULL);
            INSERT INTO history (chat, at) SELECT 'c' || n % {Large / 10}, now() - n * interval '3 minutes'
              FROM generate_series(1, {Large}) AS n;
            CREATE INDEX ON history (chat, at);
            ANALYZE history;
            """,
            Token
        );
        var history = new ChildTable
        {
            Name = "messages",
            Table = new("public", "history"),
            ForeignKey = "chat",
            ParentKey = "chat",
            Key = "id",
            Order = ["id"],
            Time = "at",
        };
        var source = archiver.Source with
        {
            Map = new(
                new()
                {
                    Table = history.Table,
                    From = "messages",
                    Key = "chat",
                    Activity = ["at"],
                },
                [history]
            ),
        };

        foreach (var after in new[] { null, new PageMark("c5", "c5") })
        {
            var plan = await ExplainAsync(archiver, Idle, after, source: source);

            Assert.DoesNotContain("Seq Scan on history", plan, StringComparison.Ordinal);
            Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
            Assert.Contains("Index Only Scan", plan, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Reads_a_batch_from_the_index_that_inspection_advises_for_an_activity_with_another_to_fall_back_on()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, messages: 1, preset: "ended-at");
        await archiver.Database.ExecuteAsync("ALTER TABLE chat_sessions ADD COLUMN seen bigint, ADD COLUMN made bigint", Token);
        await FillAsync(
            archiver,
            "chat_sessions",
            "session_id",
            "seen, made",
            "CASE n % 3 WHEN 0 THEN 0 WHEN 1 THEN extract(epoch FROM "
                + "now())::bigint - n * 180 END, extract(epoch FROM now())::bigint - n * 180",
            Large / 2
        );
        var map = archiver.Source.Map;
        var source = archiver.Source with
        {
            Map = map with { Session = map.Session with { Activity = [new("seen") { As = TimeForm.EpochSeconds, Or = "made" }] } },
        };
        await using var connection = await archiver.Connections.OpenAsync(Token);
        var warning = Assert.Single((await SourceInspector.InspectAsync(connection, source, Token)).Warnings);
        await archiver.Database.ExecuteAsync(warning[(warning.IndexOf("Fix it with: ", StringComparison.Ordinal) + 13)..], Token);
        await archiver.Database.ExecuteAsync("ANALYZE chat_sessions", Token);

        var plan = await ExplainAsync(archiver, Idle, null, source: source);

        Assert.Empty((await SourceInspector.InspectAsync(connection, source, Token)).Warnings);
        Assert.DoesNotContain("Seq Scan on chat_sessions", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
    }

    /// <summary>
    /// Of conditions that exclude next to nothing the planner believed that they leave a single session, and it sorted the whole table for
    /// each page.
    /// </summary>
    [Fact]
    public async Task Reads_a_small_batch_from_the_index_where_every_session_has_messages()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 2000,
            young: 200,
            messages: 10,
            preset: "ended-at"
        );
        await archiver.Database.ExecuteAsync("ANALYZE chat_sessions, chat_messages", Token);

        var plan = await ExplainAsync(archiver, Idle, null, page: 25);

        Assert.DoesNotContain("Seq Scan", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Hash", plan, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reads_the_few_sessions_with_deleted_messages_from_their_index()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 2000,
            young: 200,
            messages: 10,
            preset: "soft-delete"
        );
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET deleted_at = NULL; UPDATE chat_messages SET deleted_at = now() - interval '60 days' WHERE id IN "
                + "(SELECT id FROM chat_messages ORDER BY id LIMIT 3); ANALYZE chat_sessions, chat_messages",
            Token
        );

        var plan = await ExplainAsync(
            archiver,
            Idle with
            {
                IdleFor = null,
                Action = PolicyAction.Purge,
                Scope = PurgeScope.Messages,
                DeletedFor = TimeSpan.FromDays(30),
            },
            null
        );

        Assert.Contains("chat_messages_deleted_idx", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Seq Scan on chat_messages", plan, StringComparison.Ordinal);
    }

    /// <summary>
    /// To the planner a scan of the whole table looked cheaper than a thousand look-ups, and each batch read the messages three times from
    /// end to end.
    /// </summary>
    [Fact]
    public async Task Reads_and_deletes_a_batch_by_its_keys_and_not_by_scans_of_whole_tables()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 2000,
            young: 200,
            messages: 10,
            preset: "ended-at"
        );
        await archiver.Database.ExecuteAsync("ANALYZE chat_sessions, chat_messages", Token);
        await using var scope = (
            await RunScope.BeginAsync(
                new(archiver.Source, Idle),
                archiver.Settings,
                archiver.Connections,
                TimeProvider.System,
                NullLogger.Instance,
                Token
            )
        )!;
        await using var connection = await archiver.Connections.OpenAsync(Token);
        var keys = await connection.QueryAsync(
            "SELECT session_id::text FROM chat_sessions ORDER BY last_activity LIMIT 200",
            row => row.GetString(0),
            Token
        );
        var (map, shape) = (scope.Context.Source.Map, scope.Context.Shape);
        var messages = map.Children.Single();

        await using var transaction = await connection.BeginTransactionAsync(Token);
        await connection.ExecuteAsync(TransactionSettings.Export, Token);
        await connection.ExecuteAsync(ExportStatements.SetKeys, Token, PgParameter.Texts(keys), PgParameter.Text("UTC"));
        var export = new ExportStatements(scope.Context, shape);
        var delete = new DeleteStatements(map, shape);
        SqlParameters sizes = new(),
            eligible = new();
        List<(string Sql, NpgsqlParameter[] Parameters)> statements =
        [
            (new SelectionStatements(scope.Context).Sizes(messages, sizes, keys), sizes.ToArray()),
            (export.StillEligible(eligible, keys), eligible.ToArray()),
            .. shape.Tables.Select(t => (InsideCopy(export.Copy(t)), Array.Empty<NpgsqlParameter>())),
            (delete.LockSessions, [PgParameter.Texts(keys)]),
            delete.Delete(keys, sessionsFirst: false),
        ];

        foreach (var (sql, parameters) in statements)
        {
            var plan = string.Join('\n', await connection.QueryAsync($"EXPLAIN {sql}", row => row.GetString(0), Token, parameters));
            Assert.DoesNotContain("Seq Scan on chat_", plan, StringComparison.Ordinal);
            Assert.Matches(@"Index Cond: \(\(?session_id = ", plan);
        }

        // EXPLAIN takes no COPY.
        static string InsideCopy(string sql) => Regex.Match(sql, @"^COPY \((.*)\) TO STDOUT$", RegexOptions.Singleline).Groups[1].Value;
    }

    [Fact]
    public async Task Reads_nothing_for_a_run_that_has_taken_all_it_may()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, messages: 1);
        await using var scope = (
            await RunScope.BeginAsync(
                new(archiver.Source, Idle),
                archiver.Settings,
                archiver.Connections,
                TimeProvider.System,
                NullLogger.Instance,
                Token
            )
        )!;
        await using var nowhere = new SourceConnections(
            archiver.Source with
            {
                ConnectionString = "Host=127.0.0.1;Port=1;Username=nobody",
            }
        );
        var run = scope.Context with { Connections = nowhere };

        Assert.Null(await new BatchSelector(run).NextAsync(0, Token));
        Assert.Null(await new DelayedDeleteSelector(run).NextAsync(0, Token));
        await Assert.ThrowsAsync<NpgsqlException>(() => new BatchSelector(run).NextAsync(1, Token));
    }

    [Fact]
    public async Task Reads_as_many_pages_for_a_batch_in_a_table_a_hundred_times_as_large()
    {
        var small = await PagesAsync(500);
        var large = await PagesAsync(50_000);

        // An index a hundred times as large is one level deeper, which each lookup of the same rows walks too.
        Assert.InRange((double)large / small, 0.5, 1.5);
    }

    private async Task<long> PagesAsync(int sessions)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, messages: 1, preset: "ended-at");
        var step = string.Create(CultureInfo.InvariantCulture, $"now() - n * interval '{Days * 1440.0 / sessions} minutes'");
        await FillAsync(archiver, "chat_sessions", "session_id", "last_activity", step, sessions);
        // The statistics of a freshly filled table would make the small one's planner sort it whole instead.
        return (
            await ExplainAsync(
                archiver,
                Idle,
                null,
                "ANALYZE, BUFFERS, TIMING OFF",
                "SET LOCAL enable_seqscan = off; SET LOCAL "
                    + "enable_sort = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off",
                page: 100
            )
        )
            .Split('\n')
            .Where(line => line.Contains("Buffers: shared", StringComparison.Ordinal))
            .Select(Pages)
            .First();
    }

    private static long Pages(string line) =>
        Regex.Matches(line, "(?:hit|read)=([0-9]+)").Sum(m => long.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture));

    private static IEnumerable<Policy> Policies(string preset)
    {
        yield return Idle;
        var thirty = TimeSpan.FromDays(30);
        switch (preset)
        {
            case "ended-at":
                yield return Idle with
                {
                    IdleFor = null,
                    EndedFor = thirty,
                };
                break;
            case "last-accessed":
                yield return Idle with
                {
                    IdleFor = null,
                    ExpiredFor = thirty,
                };
                break;
            case "status-expiry":
                yield return Idle with
                {
                    IdleFor = null,
                    ExpiredFor = thirty,
                };
                yield return Idle with
                {
                    Status = ["expired"],
                };
                break;
            case "soft-delete":
                yield return Idle with
                {
                    IdleFor = null,
                    DeletedFor = thirty,
                };
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(preset), preset, null);
        }
    }

    // Every eleventh session gets a message, so that the condition on the children's times is not one on an empty table.
    private static async Task FillAsync(ArchiverFixture archiver, string table, string key, string columns, string values, int count)
    {
        var messages = table == "sessions" ? "messages" : "chat_messages";
        await archiver.Database.ExecuteAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                WITH added AS (
                  INSERT INTO {table} ({key}, {columns})
                  SELECT gen_random_uuid(), {values} FROM generate_series(1, {count}) AS n
                  RETURNING {key} AS k
                )
                INSERT INTO {messages} (session_id, role, content)
                SELECT a.k, 'user', 'x' FROM (SELECT k, row_number() OVER () AS n FROM added) AS a WHERE a.n % 11 = 0;
                ANALYZE {table}, {messages};
                """
            ),
            Token
        );
    }

    private static async Task<string> ExplainAsync(
        ArchiverFixture archiver,
        Policy policy,
        PageMark? after,
        string options = "COSTS",
        string settings = "SELECT",
        int page = Page,
        SourceSettings? source = null
    )
    {
        await using var scope = (
            await RunScope.BeginAsync(
                new(source ?? archiver.Source, policy),
                archiver.Settings,
                archiver.Connections,
                TimeProvider.System,
                NullLogger.Instance,
                Token
            )
        )!;
        var parameters = new SqlParameters();
        var sql = new SelectionStatements(scope.Context).Page(parameters, after, page);
        await using var connection = await archiver.Connections.OpenAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await connection.ExecuteAsync(settings, Token);
        return string.Join(
            '\n',
            await connection.QueryAsync($"EXPLAIN ({options}) {sql}", row => row.GetString(0), Token, parameters.ToArray())
        );
    }
}

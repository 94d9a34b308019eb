using System.Globalization;
using System.Text.RegularExpressions;
using Archiver.Core.Deletion;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Testing;
using Npgsql;
using static Archiver.Integration.Tests.Selection.LargeTables;

namespace Archiver.Integration.Tests.Selection;

/// <summary>A batch is found and deleted by its keys, however large the tables are.</summary>
public sealed class DeletionPlanTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

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
        await using var scope = await archiver.BeginAsync(new(archiver.Source, Idle), Token);
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
            facts = new(),
            eligible = new();
        var selection = new SelectionStatements(scope.Context);
        List<(string Sql, NpgsqlParameter[] Parameters)> statements =
        [
            (selection.Sizes(messages, sizes, keys), sizes.ToArray()),
            (selection.StillEligibleFacts(facts, keys), facts.ToArray()),
            (selection.StillEligible(eligible, keys), eligible.ToArray()),
            .. shape.Tables.Select(t => (InsideCopy(export.Copy(t)), Array.Empty<NpgsqlParameter>())),
            delete.LockSessions(keys),
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
}

using Archiver.Core.Ledger;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Testing;
using Npgsql;
using static Archiver.Integration.Tests.Selection.LargeTables;

namespace Archiver.Integration.Tests.Selection;

/// <summary>
/// A batch costs the same however long the backlog and however large the table: it comes in keyset order straight from the policy's index.
/// </summary>
public sealed class SelectionPlanTests(TestServers servers)
{
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
    public async Task Reads_nothing_for_a_run_that_has_taken_all_it_may()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1, messages: 1);
        await using var scope = await archiver.BeginAsync(new(archiver.Source, Idle), Token);
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
}

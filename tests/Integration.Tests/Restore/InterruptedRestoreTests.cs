using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Integration.Tests.Lifecycle;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Npgsql;

namespace Archiver.Integration.Tests.Restore;

/// <summary>
/// A restore whose connections die at any moment leaves all or nothing of each session, and another one finishes the work.
/// </summary>
public sealed class InterruptedRestoreTests(TestServers servers)
{
    private const string Torn = """
        SELECT count(*)
        FROM archiver.archives AS a
        WHERE (SELECT count(*) FROM chat_sessions AS s WHERE s.session_id::text = a.session_id) + (SELECT count(*) FROM chat_messages AS m
          WHERE m.session_id::text = a.session_id)
              <> CASE a.state WHEN 'restored' THEN a.row_count ELSE 0 END
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Points =>
        [
            FaultPoints.RestoreRecorded,
            FaultPoints.RestoreStaged,
            FaultPoints.RestoreInserted,
            FaultPoints.RestoreMarked,
            FaultPoints.RestoreReady,
            FaultPoints.RestoreCommitted,
            FaultPoints.RestoreEnding,
        ];

    [Theory]
    [MemberData(nameof(Points))]
    public async Task Leaves_all_or_nothing_of_each_session_when_its_server_processes_are_killed_at(string point)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 30, young: 0, messages: 5, configure: s =>
            s with
            {
                Retry = s.Retry with { Budget = TimeSpan.FromMilliseconds(1) },
            }
        );
        var before = await archiver.Database.CopyTablesAsync(archiver);
        await archiver.RunAsync(Token);
        var reached = InProcessFault.Once(point, () => archiver.EndProcessesAsync());

        var first = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.True(reached());
        var committed = point is FaultPoints.RestoreCommitted or FaultPoints.RestoreEnding;
        Assert.Equal(committed ? RunOutcome.Done : RunOutcome.Failed, first.Outcome);
        // The connection on which it wanted to say so was cut as well.
        Assert.Equal(
            committed ? "done" : "failed",
            await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs WHERE action = 'restore'")
        );
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>(Torn));
        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        Assert.Equal((RunOutcome.Done, null, 30L), (report.Outcome, report.Error, report.Restored + report.AlreadyThere));
        Assert.Equal(before, await archiver.Database.CopyTablesAsync(archiver));
    }

    [Fact]
    public async Task Leaves_all_or_nothing_of_each_session_when_it_is_stopped_between_two_transactions()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1200, young: 0, messages: 2);
        await archiver.RunAsync(Token);
        using var stop = new CancellationTokenSource();

        var reached = InProcessFault.Once(FaultPoints.RestoreCommitted, () => stop.CancelAsync());

        var report = await archiver.RestoreAsync(RestoreFixture.Everything, stop.Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Cancelled, 130), (report.Outcome, report.ExitCode));
        Assert.InRange(report.Restored, 1, 1199);
        Assert.Equal("cancelled", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs WHERE action = 'restore'"));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>(Torn));
        Assert.Equal(report.Restored, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
        var rest = await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        Assert.Equal((RunOutcome.Done, 1200L), (rest.Outcome, rest.Restored + rest.AlreadyThere));
        Assert.Equal(
            "done",
            await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs ORDER BY started_at DESC LIMIT 1")
        );
    }

    // Nothing else fails then: only the lease, asked for last, tells that the source may be another one's by now.
    [Fact]
    public async Task Rolls_back_when_only_its_lock_is_lost()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.RunAsync(Token);
        var reached = InProcessFault.Once(FaultPoints.RestoreMarked, () => archiver.EndProcessesAsync(EndedProcesses.OfLocks));

        var report = await archiver.RestoreAsync(RestoreFixture.Everything, Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Failed, 1, 0L), (report.Outcome, report.ExitCode, report.Restored));
        Assert.Contains("lock", report.Error, StringComparison.Ordinal);
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
        Assert.Equal("archived\n", await archiver.Database.CopyOutAsync("SELECT DISTINCT state FROM archiver.archives"));
        Assert.Equal(3, (await archiver.RestoreAsync(RestoreFixture.Everything, Token)).Restored);
    }

    // An error from COMMIT says nothing about the transaction: a second attempt would take the first one's rows for somebody else's.
    [Theory]
    [InlineData(ConflictMode.Fail)]
    [InlineData(ConflictMode.Replace)]
    public async Task Knows_that_a_commit_whose_answer_was_lost_has_happened_and_counts_it_once(ConflictMode mode)
    {
        var server = new NpgsqlConnectionStringBuilder(servers.PostgresConnectionString);
        await using var relay = new TcpRelay(server.Host!, server.Port);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0, configure: s => s with { Sources =
                [
                    s.Sources[0] with
                    {
                        ConnectionString = new NpgsqlConnectionStringBuilder(s.Sources[0].ConnectionString)
                        {
                            Host = "127.0.0.1",
                            Port = relay.Port,
                            SslMode = SslMode.Disable,
                        }.ConnectionString,
                    },
                ] });
        await archiver.RunAsync(Token);
        InProcessFault.Once(FaultPoints.RestoreReady, () =>
        {
            relay.LoseAnswerTo("COMMIT");
            return Task.CompletedTask;
        });

        // Reactivated, the rows are not those of the documents any more.
        var report = await archiver.RestoreAsync(RestoreFixture.Everything with { OnConflict = mode, Reactivate = true }, Token);

        Assert.Equal(1, relay.Lost);
        Assert.Equal((RunOutcome.Done, null, 3L), (report.Outcome, report.Error, report.Restored));
        Assert.Empty(report.Refused);
        Assert.Equal(
            "restored 3\n",
            await archiver.Database.CopyOutAsync(
                "SELECT r.policy || 'd ' || r.sessions_done FROM archiver.runs AS r WHERE r.action = 'restore'"
            )
        );
        Assert.Equal(
            "1 restored\n",
            await archiver.Database.CopyOutAsync("SELECT DISTINCT generation || ' ' || state FROM archiver.archives")
        );
    }

    [Fact]
    public async Task Keeps_the_live_rows_when_a_replace_dies_before_its_commit()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0, configure: s =>
            s with
            {
                Retry = s.Retry with { Budget = TimeSpan.FromMilliseconds(1) },
            }
        );
        await archiver.RunAsync(Token);
        await archiver.RestoreAsync(RestoreFixture.Everything, Token);
        await archiver.ExecuteAsync("UPDATE chat_messages SET content = 'edited'", null);
        var rows = await archiver.Database.CopyTablesAsync(archiver);
        var ids = (await archiver.Database.CopyOutAsync("SELECT session_id FROM chat_sessions")).TrimEnd().Split('\n');
        var reached = InProcessFault.Once(FaultPoints.ReplaceInserted, () => archiver.EndProcessesAsync());

        var first = await archiver.RestoreAsync(RestoreFixture.Session(ids) with { OnConflict = ConflictMode.Replace }, Token);
        var rowsThen = await archiver.Database.CopyTablesAsync(archiver);
        var second = await archiver.RestoreAsync(RestoreFixture.Session(ids) with { OnConflict = ConflictMode.Replace }, Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Partial, 0L, 3), (first.Outcome, first.Restored, first.Refused.Count));
        Assert.Equal(rows, rowsThen);
        Assert.Equal((RunOutcome.Done, 3L), (second.Outcome, second.Restored));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages WHERE content = 'edited'"));
    }
}

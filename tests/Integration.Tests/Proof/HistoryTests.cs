using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Proof;

/// <summary>
/// The database comes back with another history than the one that was exported, and gives the same transaction id and place to another row:
/// no fingerprint can see that, only the lease can (docs/protocol.md rule 6).
/// </summary>
public sealed class HistoryTests(TestServers servers)
{
    private const string Version = "SELECT ctid::text || ' ' || xmin::text FROM chat_messages WHERE id = 1000000";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Deletes_nothing_after_a_crash_that_lost_an_unflushed_commit_and_gave_its_transaction_id_away_again()
    {
        await using var server = await PostgresServer.StartAsync(Token, "autovacuum = off");
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 0, server: server.ConnectionString);
        await AssertKeepsAsync(
            archiver,
            async session =>
            {
                // Nobody but the WAL writer would flush a commit that does not wait.
                var writer = await archiver.Database.ScalarAsync<int>(
                    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'",
                    Token
                );
                await SignalAsync("-STOP", writer);
                await archiver.Database.ExecuteAsync($"SET synchronous_commit = off; {Insert(session, "exported, then lost")}", Token);
            },
            async () =>
            {
                await server.KillAsync(Token);
                await server.StartAgainAsync(Token);
            }
        );
    }

    [Fact]
    public async Task Deletes_nothing_after_a_failover_to_a_standby_that_lagged_and_gave_a_transaction_id_away_again()
    {
        await using var server = await PostgresServer.StartAsync(Token, "autovacuum = off");
        StandbyServer? standby = null;
        try
        {
            await using var archiver = await ArchiverFixture.CreateAsync(
                servers,
                Token,
                idle: 2,
                young: 0,
                server: server.ConnectionString
            );
            await AssertKeepsAsync(
                archiver,
                async session =>
                {
                    standby = await StandbyServer.CopyAsync(server, Token);
                    await archiver.Database.ExecuteAsync(Insert(session, "exported, then lost"), Token);
                },
                async () =>
                {
                    await server.KillAsync(Token);
                    await standby!.TakeOverAsync(archiver.Database.ConnectionString, Token);
                }
            );
        }
        finally
        {
            if (standby is not null)
                await standby.DisposeAsync();
        }
    }

    private static async Task AssertKeepsAsync(ArchiverFixture archiver, Func<string, Task> beforeExport, Func<Task> otherHistory)
    {
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        var session = await archiver.AnyIdleAsync(Token);
        var (exported, later) = ("", "another");
        InProcessFault.Once(FaultPoints.Selected, async () =>
        {
            await beforeExport(session);
            exported = await archiver.Database.ScalarAsync<string>(Version, Token);
        });
        InProcessFault.Once(FaultPoints.Exported, async () =>
        {
            await otherHistory();
            archiver.Database.DataSource.Clear();
            await archiver.Database.ExecuteAsync(Insert(session, "committed by a user"), Token);
            later = await archiver.Database.ScalarAsync<string>(Version, Token);
        });

        var summary = await archiver.RunAsync(Token);

        Assert.Equal(exported, later);
        Assert.Equal((RunOutcome.Failed, 0L), (summary.Outcome, summary.Sessions));
        Assert.Contains("lock on source 'main' was lost", summary.Error, StringComparison.Ordinal);
        Assert.Equal(
            "committed by a user",
            await archiver.Database.ScalarAsync<string>("SELECT content FROM chat_messages WHERE id = 1000000", Token)
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(2, (await archiver.RunAsync(Token)).Sessions);
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    private static string Insert(string session, string content) =>
        $"INSERT INTO chat_messages (id, session_id, role, content, timestamp) VALUES (1000000, '{session}', 'user', '{content}', now() - "
        + "interval '200 days')";

    private static async Task SignalAsync(string signal, int process)
    {
        await using var kill = ChildProcess.Start("kill", [signal, process.ToString(CultureInfo.InvariantCulture)]);
        Assert.Equal(0, (await kill.WaitForExitAsync(Token)).ExitCode);
    }
}

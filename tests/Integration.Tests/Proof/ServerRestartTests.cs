using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Proof;

/// <summary>The server of the database is restarted, as for an update, while the run is in the middle of its work and lives on.</summary>
public sealed class ServerRestartTests(TestServers servers)
{
    private const int Idle = 4;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Deletes_nothing_more_after_a_restart_and_the_next_run_finishes_the_work()
    {
        await using var server = await PostgresServer.StartAsync(Token);
        foreach (var point in (string[])[FaultPoints.PendingRecorded, FaultPoints.RowsDeleted, FaultPoints.DeleteCommitted])
        {
            await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1, server: server.ConnectionString);
            var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
            var restarted = InProcessFault.Once(point, async () =>
            {
                await server.StopAsync(Token);
                await server.StartAgainAsync(Token);
                archiver.Database.DataSource.Clear();
            });

            var summary = await archiver.RunAsync(Token);

            Assert.True(restarted());
            // Committed is committed; of the rest the lease says that this server is another one.
            var committed = point == FaultPoints.DeleteCommitted ? Idle : 0L;
            Assert.Equal((point, committed), (point, summary.Sessions));
            Assert.Equal(committed > 0, summary.Outcome == RunOutcome.Done);
            Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
            Assert.Equal((RunOutcome.Done, Idle - committed), await OutcomeAsync(archiver));
            Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        }
    }

    private static async Task<(RunOutcome Outcome, long Sessions)> OutcomeAsync(ArchiverFixture archiver)
    {
        var summary = await archiver.RunAsync(Token);
        return (summary.Outcome, summary.Sessions);
    }
}

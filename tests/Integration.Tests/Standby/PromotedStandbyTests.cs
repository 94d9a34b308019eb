using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Sources;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Standby;

public sealed class PromotedStandbyTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Three servers with the run's record in common; after the fork the same physical name may be another row.</summary>
    [Fact]
    public async Task Exports_nothing_from_a_standby_that_was_promoted_or_follows_one_that_was()
    {
        await using var primary = await PostgresServer.StartAsync(Token);
        await primary.StopAsync(Token);
        await using var promoted = await PostgresServer.StartStandbyAsync(primary, Token);
        await primary.StartAgainAsync(Token);
        await promoted.StopAsync(Token);
        await using var follower = await PostgresServer.StartStandbyAsync(promoted, Token);
        await promoted.StartAgainAsync(Token);
        await using var archiver = await ArchiverFixture.CreateAsync(
            servers,
            Token,
            idle: 10,
            server: primary.ConnectionString,
            configure: s => StandbyServers.From(follower, s)
        );
        await StandbyServers.CaughtUpAsync(primary, follower, Token);
        var promotion = InProcessFault.Once(FaultPoints.Exported, async () =>
        {
            await StandbyServers.ScalarAsync<bool>(promoted, "SELECT pg_promote()", Token);
            await Eventually.TrueAsync(
                async () => await StandbyServers.ScalarAsync<int?>(follower, "SELECT received_tli FROM pg_stat_wal_receiver", Token) == 2,
                Token
            );
        });

        var following = await archiver.RunAsync(Token);

        Assert.Contains("follows another primary (timeline 2, the primary's is 1)", following.Error, StringComparison.Ordinal);
        Assert.True(promotion());
        Assert.Equal(RunOutcome.Failed, following.Outcome);
        Assert.InRange(following.Sessions, 0, 5);

        // The other one, from a run's beginning.
        var settings = StandbyServers.From(promoted, archiver.Settings);
        await using var connections = new ConnectionCatalog(settings);
        var own = await new PolicyRunner(settings, connections, archiver.Store, TimeProvider.System, archiver.Events).RunAsync(
            new RunRequest(settings.Sources[0], archiver.Policy),
            null,
            Token
        );
        Assert.Contains("is not a standby, or was promoted", own.Error, StringComparison.Ordinal);
        Assert.Equal((RunOutcome.Failed, 0L), (own.Outcome, own.Sessions));
        Assert.Equal(15 - following.Sessions, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
    }
}

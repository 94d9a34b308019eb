using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>A hold and a destructive transaction wait for each other.</summary>
public sealed class HoldWaitTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Adding_a_hold_waits_for_the_destructive_transaction_in_hand()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1, young: 0);
        await using var connection = await archiver.Connections.OpenAsync(Token);
        await Migrator.MigrateAsync(connection, Token);
        Task<IReadOnlyList<long>> adding;
        await using (var transaction = await connection.BeginTransactionAsync(Token))
        {
            await HoldLock.TakeSharedAsync(connection, "main", Token);
            adding = archiver.HoldAsync(new HoldRequest { User = "x", Reason = "case" }, Token);
            await LateHold.WaitedForAsync(archiver);
            Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.holds"));
        }

        Assert.Single(await adding);
    }

    // 'hold add' waits for the batch of another shard, and every batch after it waits for 'hold add'.
    [Fact]
    public async Task A_run_waits_for_a_hold_that_is_being_added_and_goes_on()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 0);
        await using var adding = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var transaction = await adding.BeginTransactionAsync(Token);
        await HoldLock.TakeExclusiveAsync(adding, "main", Token);

        var running = archiver.RunAsync(Token);
        var waits = LateHold.WaitedForAsync(archiver, "500ms");
        await Task.WhenAny(running, waits);
        await transaction.RollbackAsync(Token);

        Assert.Equal((RunOutcome.Done, null, 2L), ((await running).Outcome, (await running).Error, (await running).Sessions));
    }

    [Fact]
    public async Task A_hold_that_is_never_done_being_added_fails_no_run()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 0, configure: s =>
            s with
            {
                Batch = s.Batch with { StatementTimeout = TimeSpan.FromSeconds(2) },
            }
        );
        await using var adding = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var transaction = await adding.BeginTransactionAsync(Token);
        await HoldLock.TakeExclusiveAsync(adding, "main", Token);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 0L, 2L), (summary.Outcome, summary.Sessions, summary.Reasons[DropReason.HoldInFlight]));
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
    }
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;
using static Archiver.Integration.Tests.Lifecycle.PolicyRuns;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>
/// What may befall the database under a purge or an expiry: nothing is half done, nothing is done without being counted and audited, and
/// the next run ends the work.
/// </summary>
public sealed class PurgeFaultTests(TestServers servers)
{
    private const string Gone = "now() - interval '91 days'";

    private const int All = 24;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(FaultPoints.PurgeLocked)]
    [InlineData(FaultPoints.PurgeRecorded)]
    [InlineData(FaultPoints.ExpireLocked)]
    [InlineData(FaultPoints.ExpireRecorded)]
    public async Task Changes_nothing_more_when_its_lock_is_lost_at(string point)
    {
        await using var archiver = await CreateAsync(point);
        var oracle = await AttachAsync(archiver, point);
        var reached = InProcessFault.Once(point, () => archiver.EndProcessesAsync());

        var summary = await archiver.RunAsync(Policy(point), Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Failed, 0L, 0L), (summary.Outcome, summary.Sessions, summary.Rows));
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM shadow.versions WHERE starts_with(who, 'archiver')")
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal((RunOutcome.Done, (long)All), await OutcomeAsync(archiver, point));
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    // The lock stays: only the lease, asked for last, tells that it is another one's by now.
    [Theory]
    [InlineData(FaultPoints.PurgeRecorded)]
    [InlineData(FaultPoints.ExpireRecorded)]
    public async Task Rolls_back_when_only_its_lock_is_lost_at(string point)
    {
        await using var archiver = await CreateAsync(point);
        var oracle = await AttachAsync(archiver, point);
        var reached = InProcessFault.Once(point, () => archiver.EndProcessesAsync(EndedProcesses.OfLocks));

        var summary = await archiver.RunAsync(Policy(point), Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Failed, 0L), (summary.Outcome, summary.Sessions));
        Assert.Contains("lock", summary.Error, StringComparison.Ordinal);
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM shadow.versions WHERE starts_with(who, 'archiver')")
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    [Theory]
    [InlineData(FaultPoints.PurgeDeleted)]
    [InlineData(FaultPoints.ChangeCommitted)]
    [InlineData(FaultPoints.ExpireUpdated)]
    public async Task Tries_again_and_counts_once_when_every_connection_but_the_locks_own_is_cut_at(string point)
    {
        await using var archiver = await CreateAsync(point);
        var oracle = await AttachAsync(archiver, point);
        var reached = InProcessFault.Once(point, () => archiver.EndProcessesAsync($"NOT ({EndedProcesses.OfLocks})"));

        var outcome = await OutcomeAsync(archiver, point);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Done, (long)All), outcome);
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    [Fact]
    public async Task A_session_whose_delete_never_ends_in_time_does_not_hold_up_the_others()
    {
        await using var archiver = await Purgeable.SessionsAsync(
            servers,
            Gone,
            new() { Sessions = 2, StatementTimeout = TimeSpan.FromSeconds(2) },
            Token,
            idle: 2
        );
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token, ShadowTable.SoftDelete);
        var session = await Purgeable.SessionAsync(archiver, 0);
        await archiver.Database.ExecuteAsync(
            $"""
            CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN OLD; END $$;
            CREATE TRIGGER linger BEFORE DELETE ON chat_messages FOR EACH ROW WHEN (OLD.session_id = '{session}') EXECUTE FUNCTION linger();
            """
        );

        var summary = await archiver.RunAsync(Purge(), Token);

        Assert.Equal(
            (RunOutcome.Partial, 1, 5L, 1L),
            (summary.Outcome, summary.ExitCode, summary.Sessions, summary.Reasons[DropReason.TooSlow])
        );
        Assert.Equal(
            $"{session} {DropReason.TooSlow}",
            await archiver.Database.ScalarAsync<string>("SELECT string_agg(session_id || ' ' || reason, ',') FROM archiver.quarantine")
        );
        Assert.Equal(session, await archiver.Database.ScalarAsync<string>("SELECT string_agg(id::text, ',') FROM chat_sessions"));
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages"));
        // Its next attempt is due in an hour, so this run has nothing to wait for.
        Assert.Equal((RunOutcome.Done, 0L), await OutcomeAsync(archiver, "purge."));
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    private static Policy Policy(string point) => point.StartsWith("expire.", StringComparison.Ordinal) ? Expire() : Purge();

    private Task<ArchiverFixture> CreateAsync(string point) =>
        point.StartsWith("expire.", StringComparison.Ordinal)
            ? Purgeable.ExpiringAsync(servers, Gone, new() { Sessions = 10 }, Token)
            : Purgeable.SessionsAsync(servers, Gone, new() { Sessions = 10 }, Token);

    private static Task<Oracle> AttachAsync(ArchiverFixture archiver, string point) =>
        Oracle.AttachAsync(
            archiver.Database,
            archiver.Bucket,
            Token,
            point.StartsWith("expire.", StringComparison.Ordinal) ? ShadowTable.StatusExpiry : ShadowTable.SoftDelete
        );

    private static async Task<(RunOutcome, long)> OutcomeAsync(ArchiverFixture archiver, string point)
    {
        var summary = await archiver.RunAsync(Policy(point), Token);
        return (summary.Outcome, summary.Sessions);
    }
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;
using Archiver.Testing.Proof;
using static Archiver.Integration.Tests.Proof.LingeringDeletes;

namespace Archiver.Integration.Tests.Proof;

/// <summary>The archiver waits no longer than <c>Batch:LockTimeout</c>, and tries nothing for ever.</summary>
public sealed class LockPatienceTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Such as a trigger that counts in one row for all, and is slow: nobody touches the session itself.
    [Fact]
    public async Task A_session_whose_delete_makes_somebody_wait_each_time_is_a_failure_and_not_tried_for_ever()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 1, young: 1);
        await archiver.ExecuteAsync(
            """
            CREATE SEQUENCE tries; CREATE TABLE counted (n bigint); INSERT INTO counted VALUES (0);
            CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE public.counted
              SET n = n + 1; PERFORM nextval('public.tries'), pg_sleep(60); RETURN OLD; END $$;
            CREATE TRIGGER linger BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION linger();
            """,
            null
        );
        var application = Task.Run(
            async () =>
            {
                for (var times = 0; times < 3; times++)
                {
                    await LingersAsync(archiver);
                    await archiver.ExecuteAsync("UPDATE counted SET n = n + 1", null);
                }
            },
            Token
        );

        var summary = await archiver.RunAsync(Token);

        await application;
        Assert.Equal(
            (RunOutcome.Partial, 0L, 1L, 1L),
            (summary.Outcome, summary.Sessions, summary.Failed, summary.Reasons[DropReason.TooSlow])
        );
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT last_value FROM tries"));
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.quarantine"));
    }

    [Fact]
    public async Task The_archiver_waits_no_longer_than_the_lock_timeout_while_it_holds_locks()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 4, young: 1);
        var session = await archiver.AnyIdleAsync(Token);
        await using var application = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var open = await application.BeginTransactionAsync(Token);
        InProcessFault.Once(FaultPoints.SessionsLocked, () =>
            archiver.ExecuteAsync("SELECT FROM chat_messages WHERE session_id = $1 FOR UPDATE", session, application)
        );
        await using var waits = LockWaits.Watch(archiver.Database.ConnectionString);

        // The application goes on holding the messages until the run is over.
        var summary = await archiver.RunAsync(Token);

        Assert.InRange(waits.OfArchiver, AtAll, LockWaits.Bound);
        Assert.Equal((3L, 1L), (summary.Sessions, summary.Skipped));
        Assert.Equal(1, summary.Reasons[DropReason.Locked]);
    }

    // As while an index is created.
    [Fact]
    public async Task The_archiver_waits_no_longer_than_the_lock_timeout_for_a_table_that_somebody_writes_to_alone()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 4, young: 1, configure: s =>
            s with
            {
                Batch = s.Batch with { StatementTimeout = TimeSpan.FromSeconds(10) },
            }
        );
        await using var application = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var open = await application.BeginTransactionAsync(Token);
        InProcessFault.Once(FaultPoints.Verified, () => archiver.ExecuteAsync("LOCK TABLE chat_messages IN SHARE MODE", null, application));
        await using var waits = LockWaits.Watch(archiver.Database.ConnectionString);

        var summary = await archiver.RunAsync(Token);

        Assert.InRange(waits.OfArchiver, AtAll, LockWaits.Bound);
        Assert.Equal((0L, 4L), (summary.Sessions, summary.Skipped));
        Assert.Equal(4, summary.Reasons[DropReason.Locked]);
    }
}

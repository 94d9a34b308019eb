using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Proof;

/// <summary>What may befall the deleting transaction: nothing is half done, and the others go on.</summary>
public sealed class DeleteFaultTests(TestServers servers)
{
    private const int Idle = 4;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("53100", 2, RunOutcome.Done)]
    [InlineData("53100", 1000, RunOutcome.Partial)]
    [InlineData("53200", 1, RunOutcome.Done)]
    [InlineData("40001", 2, RunOutcome.Done)]
    [InlineData("40P01", 2, RunOutcome.Done)]
    public async Task Rolls_all_of_a_batch_back_when_the_server_refuses_to_record_it(string state, int times, RunOutcome outcome)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1, configure: s =>
            s with
            {
                Retry = s.Retry with { Budget = TimeSpan.FromMilliseconds(1) },
            }
        );
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        // A sequence forgets nothing in a rollback. 53100 is disk full, 53200 out of memory: raised by a trigger, and not by the server
        // itself, each counts as the trigger's answer to these sessions, whatever its code, and halves are tried.
        await archiver.ExecuteAsync(
            $"""
            CREATE SEQUENCE refused;
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF nextval('public.refused') <= {times} THEN RAISE EXCEPTION 'refused' USING ERRCODE = '{state}'; END IF; RETURN NULL; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON archiver.archives FOR EACH STATEMENT EXECUTE FUNCTION refuse();
            """,
            null
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((outcome, outcome == RunOutcome.Done ? Idle : 0L), (summary.Outcome, summary.Sessions));
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        await archiver.ExecuteAsync("DROP TRIGGER refuse ON archiver.archives", null);
        // Sessions that failed one by one wait for their next try, unless: archiver quarantine retry --all
        await archiver.ExecuteAsync("DELETE FROM archiver.quarantine", null);
        await archiver.RunAsync(Token);
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(Idle, (await oracle.CountAsync(Token)).SessionsArchived);
    }

    [Fact]
    public async Task A_session_whose_delete_never_ends_in_time_does_not_hold_up_the_others()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1, configure: s =>
            s with
            {
                Batch = s.Batch with { StatementTimeout = TimeSpan.FromSeconds(2) },
            }
        );
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        var session = await archiver.AnyIdleAsync(Token);
        await archiver.ExecuteAsync(
            $"""
            CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF OLD.session_id = '{session}' THEN PERFORM pg_sleep(60); END IF; RETURN OLD; END $$;
            CREATE TRIGGER linger BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION linger();
            """,
            null
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, Idle - 1L, 1L), (summary.Outcome, summary.Sessions, summary.Failed));
        Assert.Equal(
            1,
            await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM archiver.quarantine WHERE session_id = '{session}'")
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    // Rule 14: the archiver gives up before the server looks for deadlocks, so that the application never is the victim.
    [Fact]
    public async Task The_application_gets_no_deadlock_error_when_it_locks_a_message_before_its_session()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        var session = await archiver.AnyIdleAsync(Token);
        await using var application = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var open = await application.BeginTransactionAsync(Token);
        Task? waiting = null;
        InProcessFault.Once(FaultPoints.Exported, () =>
            archiver.ExecuteAsync("SELECT FROM chat_messages WHERE session_id = $1 FOR UPDATE", session, application)
        );
        // The archiver holds the session and will want the message; the application holds the message and wants the session.
        InProcessFault.Once(FaultPoints.SessionsLocked, async () =>
        {
            waiting = archiver.ExecuteAsync(
                "UPDATE chat_sessions SET session_title = 'in use' WHERE session_id = $1",
                session,
                application
            );
            await Eventually.TrueAsync(
                async () =>
                    await archiver.Database.ScalarAsync<long>(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    ) > 0,
                Token
            );
        });

        var summary = await archiver.RunAsync(Token);
        await waiting!;
        await open.CommitAsync(Token);

        Assert.Equal((Idle - 1L, 1L), (summary.Sessions, summary.Skipped));
        Assert.Equal(1, summary.Reasons[DropReason.Locked]);
        Assert.Equal(
            "in use",
            await archiver.Database.ScalarAsync<string>($"SELECT session_title FROM chat_sessions WHERE session_id = '{session}'")
        );
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Npgsql;

namespace Archiver.Integration.Tests.Proof;

/// <summary>
/// What may befall the database under a run. Whatever it is, nothing is lost or half done, and the next run finishes the work.
/// </summary>
public sealed class DatabaseFaultTests(TestServers servers)
{
    private const int Idle = 4;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> ArchivePoints =>
        [.. ProcessFault.Points.Where(p => p.StartsWith("archive.", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(ArchivePoints))]
    public async Task Tries_again_when_every_server_process_but_the_locks_own_is_terminated_at(string point)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        var reached = InProcessFault.Once(point, () =>
            TerminateAsync(
                archiver,
                "NOT EXISTS (SELECT FROM pg_locks AS l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.mode = 'ExclusiveLock')"
            )
        );

        var summary = await archiver.RunAsync(Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Done, null, (long)Idle), (summary.Outcome, summary.Error, summary.Sessions));
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    [Theory]
    [MemberData(nameof(ArchivePoints))]
    public async Task Deletes_nothing_more_when_its_lock_is_terminated_too_at(string point)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        var reached = InProcessFault.Once(point, () => TerminateAsync(archiver, "true"));

        var summary = await archiver.RunAsync(Token);

        Assert.True(reached());
        var committed = point is FaultPoints.DeleteCommitted or FaultPoints.ManifestWritten;
        Assert.Equal(committed ? Idle : 0, summary.Sessions);
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(RunOutcome.Done, (await archiver.RunAsync(Token)).Outcome);
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(Idle, (await oracle.CountAsync(Token)).SessionsArchived);
    }

    // The server goes on with the delete, and holds its locks: they are the run's own, not the application's.
    [Fact]
    public async Task Takes_no_session_for_one_in_use_that_its_own_broken_connection_still_locks()
    {
        var server = new NpgsqlConnectionStringBuilder(servers.PostgresConnectionString);
        await using var relay = new TcpRelay(server.Host!, server.Port);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1, configure: s =>
            s with
            {
                Sources =
                [
                    s.Sources[0] with
                    {
                        ConnectionString = new NpgsqlConnectionStringBuilder(s.Sources[0].ConnectionString)
                        {
                            Port = relay.Port,
                        }.ConnectionString,
                        LockConnectionString = s.Sources[0].ConnectionString,
                    },
                ],
            }
        );
        await archiver.ExecuteAsync(
            """
            CREATE SEQUENCE tries;
            CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('public.tries') = 1
              THEN PERFORM pg_sleep(50); END IF; RETURN OLD; END $$;
            CREATE TRIGGER linger BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION linger();
            """,
            null
        );
        var reached = InProcessFault.Once(FaultPoints.SessionsLocked, () =>
        {
            relay.CutAfter("DELETE FROM");
            return Task.CompletedTask;
        });

        var summary = await archiver.RunAsync(Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Done, null, (long)Idle, 0L), (summary.Outcome, summary.Error, summary.Sessions, summary.Skipped));
    }

    // Rule 15: an error from COMMIT says nothing about the transaction.
    [Fact]
    public async Task Knows_that_a_commit_whose_answer_was_lost_has_happened()
    {
        var server = new NpgsqlConnectionStringBuilder(servers.PostgresConnectionString);
        await using var relay = new TcpRelay(server.Host!, server.Port);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1, configure: s => s with { Sources =
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
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        InProcessFault.Once(FaultPoints.DeleteReady, () =>
        {
            relay.LoseAnswerTo("COMMIT");
            return Task.CompletedTask;
        });

        var summary = await archiver.RunAsync(Token);

        Assert.Equal(1, relay.Lost);
        Assert.Equal((RunOutcome.Done, (long)Idle), (summary.Outcome, summary.Sessions));
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

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

    private static Task TerminateAsync(ArchiverFixture archiver, string which) =>
        archiver.ExecuteAsync(
            "SELECT pg_terminate_backend(a.pid, 5000) FROM pg_stat_activity AS a WHERE a.datname = current_database() AND "
                + $"a.application_name = 'archiver' AND {which}",
            null
        );
}

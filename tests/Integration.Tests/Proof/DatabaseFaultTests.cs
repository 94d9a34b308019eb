using Archiver.Core.Diagnostics;
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

    private static Task TerminateAsync(ArchiverFixture archiver, string which) =>
        archiver.ExecuteAsync(
            "SELECT pg_terminate_backend(a.pid, 5000) FROM pg_stat_activity AS a WHERE a.datname = current_database() AND "
                + $"a.application_name = 'archiver' AND {which}",
            null
        );
}

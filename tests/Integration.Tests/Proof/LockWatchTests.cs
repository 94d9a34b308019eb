using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Npgsql;

namespace Archiver.Integration.Tests.Proof;

/// <summary>
/// The connection that looks for waiters: whatever befalls it, the transaction that it watches neither hangs nor is hit late.
/// </summary>
public sealed class LockWatchTests(TestServers servers)
{
    private const int Idle = 3;

    private const int WaitersNotSeen = 1018;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // One server connection is the delete's, the other an export's that takes longer than the delete.
    [Fact]
    public async Task Sees_who_waits_although_a_pooler_has_no_connection_left()
    {
        PgBouncer? pooler = null;
        NpgsqlConnection? export = null;
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1, configure: s =>
        {
            pooler = PgBouncer.StartAsync(s.Sources[0].ConnectionString, Token, pool: 2).GetAwaiter().GetResult();
            return s with
            {
                Batch = s.Batch with { StatementTimeout = TimeSpan.FromSeconds(5) },
                Sources =
                [
                    s.Sources[0] with
                    {
                        ConnectionString = pooler.ConnectionString,
                        LockConnectionString = s.Sources[0].ConnectionString,
                    },
                ],
            };
        });
        await using var started = pooler!;
        await DawdleAsync(archiver, "CASE nextval('public.deletes') WHEN 1 THEN 60 ELSE 0 END");
        var session = await archiver.AnyIdleAsync(Token);
        InProcessFault.Once(FaultPoints.SessionsLocked, async () =>
        {
            export = new NpgsqlConnection(started.ConnectionString);
            await export.OpenAsync(Token);
            await using var begin = new NpgsqlCommand("BEGIN", export);
            await begin.ExecuteNonQueryAsync(Token);
        });
        InProcessFault.Once(FaultPoints.DeleteCommitted, async () => await export!.DisposeAsync());
        await using var waits = LockWaits.Watch(archiver.Database.ConnectionString);
        var application = Task.Run(
            async () =>
            {
                await Eventually.TrueAsync(
                    async () =>
                        await archiver.Database.ScalarAsync<long>(
                            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
                        ) > 0,
                    Token
                );
                await archiver.ExecuteAsync("UPDATE chat_sessions SET session_title = 'in use' WHERE session_id = $1", session);
            },
            Token
        );

        var summary = await archiver.RunAsync(Token);

        await application;
        Assert.Equal((RunOutcome.Done, null, Idle - 1L, 1L), (summary.Outcome, summary.Error, summary.Sessions, summary.Skipped));
        Assert.InRange(waits.OfApplication, TimeSpan.FromMilliseconds(1), LockWaits.Bound);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Begins_the_batch_again_rather_than_commit_while_a_cancellation_may_be_on_its_way(bool cut)
    {
        var server = new NpgsqlConnectionStringBuilder(servers.PostgresConnectionString);
        await using var relay = new TcpRelay(server.Host!, server.Port);
        await using var archiver = await WithLockThroughAsync(relay);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await DawdleAsync(archiver);
        relay.LoseAnswerTo("pg_cancel_backend", cut);

        var summary = await archiver.RunAsync(Token);

        Assert.True(relay.Lost > 0);
        Assert.Equal((RunOutcome.Done, null, (long)Idle), (summary.Outcome, summary.Error, summary.Sessions));
        Assert.Equal(2, await DeletesAsync(archiver));
        await Eventually.TrueAsync(() => archiver.Events.Has(WaitersNotSeen), Token);
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    [Fact]
    public async Task Says_that_its_connection_is_of_no_use_and_the_batch_is_done_all_the_same()
    {
        var server = new NpgsqlConnectionStringBuilder(servers.PostgresConnectionString);
        await using var relay = new TcpRelay(server.Host!, server.Port);
        await using var archiver = await WithLockThroughAsync(relay);
        await DawdleAsync(archiver);
        InProcessFault.Once(FaultPoints.SessionsLocked, () =>
        {
            relay.LoseAnswerTo("500ms");
            return Task.CompletedTask;
        });

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, null, (long)Idle), (summary.Outcome, summary.Error, summary.Sessions));
        Assert.Equal(1, await DeletesAsync(archiver));
        Assert.True(archiver.Events.Has(WaitersNotSeen));
    }

    [Fact]
    public async Task A_worker_that_stood_still_for_too_long_within_the_transaction_begins_the_batch_again()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1, configure: s =>
            s with
            {
                Batch = s.Batch with { StatementTimeout = TimeSpan.FromSeconds(1) },
            }
        );
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        var reached = InProcessFault.Once(FaultPoints.RowsDeleted, () =>
            Eventually.TrueAsync(
                async () =>
                    await archiver.Database.ScalarAsync<long>(
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
                    ) == 0,
                Token
            )
        );

        var summary = await archiver.RunAsync(Token);

        Assert.True(reached());
        Assert.Equal((RunOutcome.Done, null, (long)Idle), (summary.Outcome, summary.Error, summary.Sessions));
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    private Task<ArchiverFixture> WithLockThroughAsync(TcpRelay relay) =>
        ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1, configure: s => s with { Sources =
                [
                    s.Sources[0] with
                    {
                        LockConnectionString = new NpgsqlConnectionStringBuilder(s.Sources[0].ConnectionString)
                        {
                            Host = "127.0.0.1",
                            Port = relay.Port,
                            SslMode = SslMode.Disable,
                        }.ConnectionString,
                    },
                ] });

    /// <summary>Deletes take long enough to be watched. A sequence forgets nothing in a rollback.</summary>
    private static Task DawdleAsync(ArchiverFixture archiver, string seconds = "0.7 + 0 * nextval('public.deletes')") =>
        archiver.ExecuteAsync(
            $"""
            CREATE SEQUENCE deletes;
            CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END $$;
            CREATE TRIGGER dawdle BEFORE DELETE ON chat_sessions FOR EACH STATEMENT EXECUTE FUNCTION dawdle();
            """,
            null
        );

    private static Task<long> DeletesAsync(ArchiverFixture archiver) =>
        archiver.Database.ScalarAsync<long>("SELECT last_value FROM deletes");
}

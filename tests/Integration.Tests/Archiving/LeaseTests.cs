using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Testing;
using Npgsql;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>A run that lost its lock deletes nothing, and two runs never work on one source (docs/protocol.md rules 6 and 8).</summary>
public sealed class LeaseTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Deletes_nothing_once_the_lock_connection_is_gone()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 6, young: 1);
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeFirstPut = () =>
                archiver.ExecuteAsync(
                    "SELECT pg_terminate_backend(l.pid, 5000) FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = "
                        + "current_database() WHERE l.locktype = 'advisory'",
                    null
                ),
        };

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Failed, 0L), (summary.Outcome, summary.Sessions));
        Assert.Contains("lock on source 'main' was lost", summary.Error, StringComparison.Ordinal);
        Assert.Equal(7, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
        Assert.Equal(0, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives"));
        Assert.Equal(6, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.objects WHERE state = 'abandoned'"));
        archiver.Store = ((HookedStore)archiver.Store).Inner;
        Assert.Equal(6, (await archiver.RunAsync(Token)).Sessions);
    }

    [Fact]
    public async Task Leaves_the_source_to_the_worker_that_runs_on_it()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 6, young: 1);
        await using var other = await SourceLock.TryTakeAsync(archiver.Connections, TimeProvider.System, Token);
        Assert.NotNull(other);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.LockedElsewhere, 3), (summary.Outcome, summary.ExitCode));
        Assert.Equal(7, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
    }

    [Fact]
    public async Task Settles_what_a_killed_run_left_behind()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 6, young: 1);
        await using (var connection = await archiver.Connections.OpenAsync(Token))
            await Migrator.MigrateAsync(connection, Token);
        await archiver.ExecuteAsync(
            """
            INSERT INTO archiver.runs (id, source, policy, action, worker) VALUES (gen_random_uuid(), 'main', 'idle', 'archive', 'dead/1');
            INSERT INTO archiver.objects (location, key, attempt, source, run_id, layout, members, length, sha256)
            SELECT 's3://x', 'k', 'a', 'main', id, 'session', '{}', 1, '' FROM archiver.runs;
            """,
            null
        );

        var summary = await archiver.RunAsync(Token);

        Assert.Equal(6, summary.Sessions);
        Assert.Equal("abandoned", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.objects WHERE key = 'k'"));
        Assert.Equal("interrupted", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs WHERE worker = 'dead/1'"));
    }

    [Fact]
    public async Task Does_not_begin_a_delete_whose_commit_would_wait_for_a_standby_that_is_gone()
    {
        await using var server = await PostgresServer.StartAsync(Token);
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 1, server: server.ConnectionString);
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeFirstPut = async () =>
            {
                await archiver.ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (gone)'", null);
                await archiver.ExecuteAsync("SELECT pg_reload_conf()", null);
                await Eventually.TrueAsync(
                    async () => await archiver.Database.ScalarAsync<string>("SHOW synchronous_standby_names") != "",
                    Token
                );
            },
        };

        var summary = await archiver.RunAsync(Token);

        // Or the end of the test's database would wait for that standby until the driver gives up.
        await archiver.ExecuteAsync("ALTER SYSTEM RESET synchronous_standby_names", null);
        await archiver.ExecuteAsync("SELECT pg_reload_conf()", null);
        Assert.Equal((RunOutcome.Failed, 0L), (summary.Outcome, summary.Sessions));
        Assert.Contains("synchronous standby", summary.Error, StringComparison.Ordinal);
        Assert.Equal("failed", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs"));
    }

    /// <summary>The question is asked before a transaction says what a backslash means.</summary>
    [Fact]
    public async Task Asks_for_the_standby_also_where_the_server_takes_a_backslash_for_an_escape()
    {
        await using var server = await PostgresServer.StartAsync(Token);
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync(Token);
        await connection.ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (gone)'", Token);
        await connection.ExecuteAsync("SELECT pg_reload_conf(); SET standard_conforming_strings = off", Token);
        await Eventually.TrueAsync(async () => await connection.ScalarAsync<string>("SHOW synchronous_standby_names", Token) != "", Token);

        var refused = await Assert.ThrowsAsync<ArchiverException>(() => SynchronousStandby.RequireAsync(connection, Token));

        Assert.Contains("A synchronous standby named in", refused.Message, StringComparison.Ordinal);
    }
}

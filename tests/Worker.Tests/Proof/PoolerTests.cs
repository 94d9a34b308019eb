using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests.Proof;

/// <summary>A transaction pooler between worker and database (docs/protocol.md rule 8).</summary>
public sealed class PoolerTests(TestServers servers)
{
    private const string Locks =
        "SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database WHERE l.locktype = "
        + "'advisory' AND d.datname = current_database()";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Is_refused_with_the_setting_that_helps()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 1);
        await using var pooler = await PgBouncer.StartAsync(archiver.Database.ConnectionString, Token);
        archiver.With("Sources:main:ConnectionString", pooler.ConnectionString);

        var result = await archiver.RunAsync("archive");

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("Archiver:Sources:main:LockConnectionString", result.Error, StringComparison.Ordinal);
        Assert.Equal(4, await archiver.LiveSessionsAsync());
    }

    [Fact]
    public async Task Works_with_a_direct_connection_for_the_lock()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 1);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await using var pooler = await PgBouncer.StartAsync(archiver.Database.ConnectionString, Token);
        archiver
            .With("Sources:main:ConnectionString", pooler.ConnectionString)
            .With("Sources:main:LockConnectionString", archiver.Database.ConnectionString);

        await archiver.ToRestAsync(Token, "archive");

        Assert.Equal(1, await archiver.LiveSessionsAsync());
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
    }

    /// <summary>
    /// A lock of the session would stay on the server's connection, which belongs to the pooler, and everybody after would wait for ever.
    /// </summary>
    [Fact]
    public async Task Migrate_leaves_no_lock_on_a_connection_of_the_pooler()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await using var pooler = await PgBouncer.StartAsync(archiver.Database.ConnectionString, Token);
        archiver.With("Sources:main:ConnectionString", pooler.ConnectionString);

        Assert.Equal(0, (await archiver.RunAsync("migrate")).ExitCode);

        Assert.Equal(0, await archiver.Database.ScalarAsync<long>(Locks));
        Assert.Equal(
            0,
            (await archiver.With("Sources:main:ConnectionString", archiver.Database.ConnectionString).RunAsync("migrate")).ExitCode
        );
    }

    /// <summary>
    /// Workers with a common schedule join it one after another, by a lock of the session: each would wait for one that was left with the
    /// pooler.
    /// </summary>
    [Fact]
    public async Task A_common_schedule_leaves_no_lock_on_a_connection_of_the_pooler()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 1);
        await using var pooler = await PgBouncer.StartAsync(archiver.Database.ConnectionString, Token);
        archiver
            .With("Sources:main:ConnectionString", pooler.ConnectionString)
            .With("Sources:main:LockConnectionString", archiver.Database.ConnectionString)
            .With("Schedule:Clustered", "true")
            .With("Sources:main:Policies:idle:Cron", "* * * * * ?");

        await using (var worker = await RunningWorker.InvokeAsync(archiver, Token))
        {
            await Eventually.TrueAsync(async () => await archiver.LiveSessionsAsync() == 1, Token);
            await Eventually.TrueAsync(() => worker.IsReadyAsync(Token), Token);
            // The server ends what was closed a moment later.
            await Eventually.TrueAsync(
                async () =>
                    0
                    == await archiver.Database.ScalarAsync<long>(
                        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE "
                            + "datname = "
                            + "current_database()) AND (classid::bigint << 32) | objid::bigint = hashtextextended('archiver/quartz', 0)"
                    ),
                Token
            );
            Assert.Equal(0, (await worker.StopAsync(Token)).ExitCode);
        }

        await Eventually.TrueAsync(async () => await archiver.Database.ScalarAsync<long>(Locks) == 0, Token);
    }

    /// <summary>
    /// Temporary tables outlive a transaction as little as session locks do: what needs them takes the direct connection as well.
    /// </summary>
    [Fact]
    public async Task Every_verb_works_with_a_direct_connection_for_what_outlives_a_transaction()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 4, young: 0);
        await using var pooler = await PgBouncer.StartAsync(archiver.Database.ConnectionString, Token);
        var id = (await archiver.Database.ScalarAsync<string>("SELECT min(session_id::text) FROM chat_sessions"))!;
        archiver
            .With("Sources:main:ConnectionString", pooler.ConnectionString)
            .With("Sources:main:LockConnectionString", archiver.Database.ConnectionString);

        string[][] verbs =
        [
            ["migrate"],
            ["plan"],
            ["archive"],
            ["status"],
            ["verify", "--all", "--restore-drill", "2"],
            ["restore", id],
            ["reconcile"],
            ["reconcile", "--fix", "--yes"],
            ["ledger", "rebuild"],
            ["hold", "add", "--session", id, "--reason", "r"],
            ["hold", "list"],
            ["list"],
            ["explain", id],
        ];
        foreach (var verb in verbs)
        {
            var result = await archiver.RunAsync(verb);
            Assert.True(result.ExitCode == 0, $"{string.Join(' ', verb)}: {result.ExitCode} {result.Error}");
        }
    }
}

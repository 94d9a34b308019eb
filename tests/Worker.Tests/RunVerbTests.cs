using System.Net;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>The always-on worker: its schedule, and what it does about servers that are down and about being stopped.</summary>
public sealed class RunVerbTests(TestServers servers)
{
    private const string Cron = "Sources:main:Policies:idle:Cron";
    private const string EverySecond = "* * * * * ?";
    private const string EveryYear = "0 0 2 1 1 ?";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Runs_a_policy_on_its_schedule_and_ends_with_0_on_SIGTERM()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 10, young: 3);
        await using var worker = await RunningWorker.StartAsync(archiver.With(Cron, EverySecond), Token);

        await Eventually.TrueAsync(async () => await archiver.LiveSessionsAsync() == 3, Token);
        await Eventually.TrueAsync(() => worker.IsReadyAsync(Token), Token);
        Assert.Equal(HttpStatusCode.OK, await worker.GetAsync("/health/live", Token));

        var result = await worker.StopAsync(Token);
        Assert.Equal((0, ""), (result.ExitCode, result.Output));
    }

    [Fact]
    public async Task Runs_policies_of_a_source_one_after_another_in_their_order()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 0);
        archiver
            .With(Cron, EverySecond)
            .With("Sources:main:Policies:idle:Order", "2")
            .With("Sources:main:Policies:zero:Action", "Archive")
            .With("Sources:main:Policies:zero:IdleFor", "300d")
            .With("Sources:main:Policies:zero:Cron", EverySecond);
        await using var worker = await RunningWorker.StartAsync(archiver, Token);
        await worker.LoggedAsync(6003, Token);
        await Eventually.TrueAsync(async () => await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.runs") >= 6, Token);
        await worker.StopAsync(Token);

        var order = await archiver.Database.ScalarAsync<string>(
            "SELECT string_agg(policy, ' ' ORDER BY id) FROM (SELECT * FROM archiver.runs ORDER BY id LIMIT 6) AS r"
        );
        Assert.Equal("zero idle zero idle zero idle", order);
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>(
                "SELECT count(*) FROM (SELECT started_at < lag(ended_at) OVER (ORDER BY id) AS early FROM archiver.runs) AS r WHERE early"
            )
        );
    }

    [Fact]
    public async Task Reads_cron_expressions_in_the_configured_time_zone()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        archiver.With("Schedule:TimeZone", "Pacific/Kiritimati").With(Cron, "0 0 2 * * ?");
        await using var worker = await RunningWorker.StartAsync(archiver, Token);
        await worker.LoggedAsync(6003, Token);

        var next = worker.Events.First(e => e.TryGetProperty("Cron", out _)).GetProperty("Next").GetDateTimeOffset();

        // 14 hours ahead of UTC all year.
        Assert.Equal((12, 0), (next.UtcDateTime.Hour, next.UtcDateTime.Minute));
    }

    [Fact]
    public async Task Says_which_setting_when_its_port_is_taken()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        using var other = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        other.Start();

        var result = await archiver.With("Http:Urls", $"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}").RunAsync("run");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("Archiver:Http:Urls", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Catches_up_at_start_what_was_missed_while_it_was_down()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 10, young: 3);
        await archiver.RunAsync("migrate");
        await archiver.Database.ExecuteAsync("UPDATE archiver.ledger SET created_at = now() - interval '400 days'");

        await using var worker = await RunningWorker.StartAsync(archiver.With(Cron, EveryYear), Token);

        await Eventually.TrueAsync(async () => await archiver.LiveSessionsAsync() == 3, Token);
    }

    [Fact]
    public async Task Runs_nothing_at_start_when_nothing_was_missed()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 10, young: 3);
        await archiver.With(Cron, EveryYear).RunAsync("archive", "--max-sessions", "1");
        await archiver.Database.ExecuteAsync("UPDATE archiver.ledger SET created_at = now() - interval '400 days'");

        await using var worker = await RunningWorker.StartAsync(archiver, Token);
        await worker.LoggedAsync(6003, Token);
        await Eventually.TrueAsync(() => worker.IsReadyAsync(Token), Token);
        await worker.StopAsync(Token);

        Assert.False(worker.HasLogged(6004));
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.runs"));
    }

    [Fact]
    public async Task Stops_in_the_middle_of_a_run_with_no_session_half_done()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 400, young: 0);
        archiver.With(Cron, EverySecond).With("Batch:Sessions", "5").With("Batch:Pause", "1s");
        await using var worker = await RunningWorker.StartAsync(archiver, Token);
        await Eventually.TrueAsync(() => worker.HasLogged(1002), Token);

        var result = await worker.StopAsync(Token);

        Assert.Equal(0, result.ExitCode);
        var live = await archiver.LiveSessionsAsync();
        Assert.InRange(live, 1, 395);
        Assert.Equal(
            400 - live,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'")
        );
        Assert.Equal(live * 4, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages"));
        Assert.Equal("cancelled", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs"));
        Assert.Equal(0, (await archiver.With("Batch:Pause", "0s").With("Batch:Sessions", "1000").RunAsync("archive")).ExitCode);
        Assert.Equal(0, await archiver.LiveSessionsAsync());
    }

    [Fact]
    public async Task Waits_for_PostgreSQL_and_works_once_it_is_up()
    {
        await using var server = await PostgresServer.StartAsync(Token);
        await using var archiver = await Installation.CreateAsync(servers, Token, postgres: server.ConnectionString, idle: 10, young: 3);
        archiver.With(Cron, EverySecond);
        await server.StopAsync(Token);
        await using var worker = await RunningWorker.StartAsync(archiver, Token);
        await worker.LoggedAsync(6001, Token);

        Assert.Equal(HttpStatusCode.OK, await worker.GetAsync("/health/live", Token));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, await worker.GetAsync("/health/ready", Token));

        await server.StartAgainAsync(Token);
        await Eventually.TrueAsync(() => worker.IsReadyAsync(Token), Token);
        // The pooled connections of before the stop are dead; the first use finds out.
        archiver.Database.DataSource.Clear();
        await Eventually.TrueAsync(async () => await archiver.LiveSessionsAsync() == 3, Token);

        await server.StopAsync(Token);
        await Eventually.TrueAsync(async () => !await worker.IsReadyAsync(Token), Token);
        Assert.Equal(0, (await worker.StopAsync(Token)).ExitCode);
    }

    [Fact]
    public async Task Waits_for_the_store_and_works_once_it_is_up()
    {
        await using var gateway = await S3Gateway.StartAsync(Token);
        await using var archiver = await Installation.CreateAsync(servers, Token, s3: gateway.Address, idle: 10, young: 3);
        archiver.With(Cron, EverySecond);
        await gateway.KillAsync(Token);
        await using var worker = await RunningWorker.StartAsync(archiver, Token);
        await worker.LoggedAsync(6001, Token);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await worker.GetAsync("/health/ready", Token));
        Assert.Equal(13, await archiver.LiveSessionsAsync());

        await gateway.StartAgainAsync(Token);
        await Eventually.TrueAsync(async () => await archiver.LiveSessionsAsync() == 3, Token, TimeSpan.FromMinutes(1));
        Assert.True(await worker.IsReadyAsync(Token));
    }

    /// <summary>Between the first answer of a server and the last look at its ledger the connection may break as well.</summary>
    [Fact]
    public async Task Goes_on_when_its_connection_breaks_while_it_looks_for_missed_runs()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.RunAsync("migrate");
        await archiver.Database.ExecuteAsync("UPDATE archiver.ledger SET created_at = now() - interval '400 days'");
        await using var locker = await archiver.Database.DataSource.OpenConnectionAsync(Token);
        await using var locking = await locker.BeginTransactionAsync(Token);
        await using (var command = new Npgsql.NpgsqlCommand("LOCK TABLE archiver.runs IN ACCESS EXCLUSIVE MODE", locker, locking))
            await command.ExecuteNonQueryAsync(Token);
        await using var worker = await RunningWorker.InvokeAsync(archiver.With(Cron, EveryYear), Token);

        await Eventually.TrueAsync(
            async () =>
                await archiver.Database.ScalarAsync<long>(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE "
                        + "datname = current_database() AND wait_event_type = 'Lock'"
                ) > 0,
            Token
        );
        await worker.LoggedAsync(6009, Token);
        await locking.RollbackAsync(Token);

        await Eventually.TrueAsync(async () => await archiver.LiveSessionsAsync() == 0, Token);
        await Eventually.TrueAsync(() => worker.IsReadyAsync(Token), Token);
    }

    [Fact]
    public async Task Is_ready_with_a_policy_that_only_reports()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.RunAsync("migrate");
        await archiver.Database.ExecuteAsync("UPDATE archiver.ledger SET created_at = now() - interval '400 days'");
        await using var worker = await RunningWorker.InvokeAsync(
            archiver.With(Cron, "0 0 2 * * ?").With("Sources:main:Policies:idle:DryRun", "true"),
            Token
        );

        await Eventually.TrueAsync(() => worker.IsReadyAsync(Token), Token);
        Assert.Equal(1, await archiver.LiveSessionsAsync());
    }

    [Fact]
    public async Task Goes_on_when_the_status_for_its_metrics_cannot_be_read()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.With(Cron, EveryYear).RunAsync("archive");
        // As no archiver writes it: what comes of it is an error that nobody foresaw.
        await archiver.Database.ExecuteAsync(
            "ALTER TABLE archiver.runs ALTER COLUMN policy DROP NOT NULL; INSERT INTO archiver.runs "
                + "SELECT (r).* FROM (SELECT jsonb_populate_record(x, jsonb_build_object('id', gen_random_uuid(), 'policy', NULL)) AS r "
                + "FROM archiver.runs AS x) AS y"
        );
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token, ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"));

        await worker.LoggedAsync(6010, Token);

        Assert.Equal(HttpStatusCode.OK, await worker.GetAsync("/health/live", Token));
        Assert.False(worker.HasLogged(6006));
    }
}

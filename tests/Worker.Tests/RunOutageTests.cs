using System.Net;
using Archiver.Testing;
using static Archiver.Worker.Tests.Crons;

namespace Archiver.Worker.Tests;

/// <summary>The worker while servers are down, and when it is stopped in the middle.</summary>
public sealed class RunOutageTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

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

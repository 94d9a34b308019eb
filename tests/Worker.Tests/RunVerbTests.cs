using System.Net;
using Archiver.Testing;
using static Archiver.Worker.Tests.Crons;

namespace Archiver.Worker.Tests;

/// <summary>The always-on worker: its schedule, and what it does about servers that are down and about being stopped.</summary>
public sealed class RunVerbTests(TestServers servers)
{
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
}

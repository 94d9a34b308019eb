using System.Net;
using System.Net.Sockets;
using System.Text;
using Archiver.Testing;
using Archiver.Worker.Tests.Http;
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
        using var other = new TcpListener(IPAddress.Loopback, 0);
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

    [Fact]
    public async Task Begins_no_batch_after_SIGTERM_although_a_client_does_not_read_its_answer()
    {
        await using var archiver = await LargeArchiveAsync(idle: 60);
        await using var worker = await RunningWorker.StartAsync(archiver.With("Batch:Sessions", "1").With("Batch:Pause", "1s"), Token);
        await worker.LoggedAsync(6003, Token);
        using var run = await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Post, "/runs", """{"policy": "main/idle"}"""), Token);
        await Eventually.TrueAsync(async () => await archiver.LiveSessionsAsync() < 58, Token);
        using var client = await UnreadAnswerAsync(archiver, worker);

        var live = await archiver.LiveSessionsAsync();
        var result = await worker.StopAsync(Token);

        // One was in hand, one may have begun between the count and the signal.
        Assert.InRange(await archiver.LiveSessionsAsync(), live - 2, live);
        Assert.Equal("cancelled", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs ORDER BY id DESC LIMIT 1"));
        Assert.Equal((0, ""), (result.ExitCode, result.Output));
    }

    [Fact]
    public async Task Does_not_wait_long_at_its_end_for_a_client_that_does_not_read_its_answer()
    {
        await using var archiver = await LargeArchiveAsync(idle: 1);
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);
        using var client = await UnreadAnswerAsync(archiver, worker);

        var result = await worker.StopAsync(Token).WaitAsync(TimeSpan.FromSeconds(24), Token);

        Assert.Equal((0, ""), (result.ExitCode, result.Output));
    }

    /// <summary>An archived session whose document is larger than what two sockets hold, and a policy that runs only when asked.</summary>
    private async Task<Installation> LargeArchiveAsync(int idle)
    {
        var archiver = await Installation.CreateAsync(servers, Token, idle, young: 0, messages: 1);
        // The oldest, so that it goes first.
        await archiver.Database.ExecuteAsync(
            """
            UPDATE chat_sessions SET created_at = '2001-01-01Z', last_activity = '2001-01-01Z', ended_at = '2001-01-01Z'
            WHERE session_id = (SELECT session_id FROM chat_sessions LIMIT 1);
            UPDATE chat_messages SET timestamp = '2001-01-01Z', content = repeat('large ', 5000000)
            WHERE session_id = (SELECT session_id FROM chat_sessions WHERE last_activity = '2001-01-01Z')
            """
        );
        archiver.With("Http:ApiKey", HttpFixture.Key).With(Cron, EveryYear);
        var archived = await archiver.RunAsync("archive", "--max-sessions", "1");
        Assert.True(archived.ExitCode == 0, archived.Error);
        return archiver;
    }

    /// <summary>A client that asked for that document and reads no more of the answer than its beginning.</summary>
    private static async Task<Socket> UnreadAnswerAsync(Installation archiver, RunningWorker worker)
    {
        var id = await archiver.Database.ScalarAsync<string>("SELECT session_id FROM archiver.archives ORDER BY id LIMIT 1");
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await client.ConnectAsync(IPAddress.Loopback, worker.Address.Port, Token);
        var request = $"GET /archives/{id} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {HttpFixture.Key}\r\n\r\n";
        await client.SendAsync(Encoding.ASCII.GetBytes(request), Token);
        var begin = new byte[15];
        await new NetworkStream(client).ReadExactlyAsync(begin, Token);
        Assert.Equal("HTTP/1.1 200 OK", Encoding.ASCII.GetString(begin));
        return client;
    }
}

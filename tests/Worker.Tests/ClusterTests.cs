using System.Net;
using System.Net.Http.Json;
using Archiver.Testing;
using Archiver.Worker.Tests.Http;

namespace Archiver.Worker.Tests;

/// <summary>Workers with a common schedule (<c>Schedule:Clustered</c>).</summary>
public sealed class ClusterTests(TestServers servers)
{
    private const string Cron = "Sources:main:Policies:idle:Cron";
    private const string EverySecond = "* * * * * ?";
    private const string EveryYear = "0 0 2 1 1 ?";
    private const int LockedElsewhere = 1003,
        Scheduled = 6003;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fires_on_one_worker_each_time_and_forgets_jobs_that_are_configured_no_more()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 10, young: 3);
        archiver
            .With("Schedule:Clustered", "true")
            .With(Cron, EverySecond)
            .With("Sources:main:Policies:other:Action", "Archive")
            .With("Sources:main:Policies:other:IdleFor", "300d")
            .With("Sources:main:Policies:other:Cron", EveryYear);
        await using (var first = await RunningWorker.StartAsync(archiver, Token))
        await using (var second = await RunningWorker.StartAsync(archiver, Token))
        {
            await first.LoggedAsync(Scheduled, Token);
            await second.LoggedAsync(Scheduled, Token);
            await Eventually.TrueAsync(async () => await JobsAsync(archiver) == 2, Token);
            await Eventually.TrueAsync(async () => await archiver.LiveSessionsAsync() == 3, Token);
            await Eventually.TrueAsync(
                async () => await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.runs") >= 8,
                Token,
                TimeSpan.FromMinutes(2)
            );
            // Two schedules of their own would meet at the lock every second.
            Assert.False(first.HasLogged(LockedElsewhere) || second.HasLogged(LockedElsewhere));
            Assert.Equal((0, 0), ((await first.StopAsync(Token)).ExitCode, (await second.StopAsync(Token)).ExitCode));
        }

        archiver
            .With("Sources:main:Policies:other:Action", null)
            .With("Sources:main:Policies:other:IdleFor", null)
            .With("Sources:main:Policies:other:Cron", null);
        await using var later = await RunningWorker.StartAsync(archiver, Token);
        await Eventually.TrueAsync(async () => await JobsAsync(archiver) == 1, Token, TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task Waits_for_a_server_that_is_down_and_then_does_what_all_workers_missed()
    {
        await using var server = await PostgresServer.StartAsync(Token);
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 10, young: 3, postgres: server.ConnectionString);
        archiver.With("Schedule:Clustered", "true").With(Cron, EveryYear);
        await using (var first = await RunningWorker.StartAsync(archiver, Token))
        {
            await first.LoggedAsync(Scheduled, Token);
            await first.StopAsync(Token);
        }
        Assert.Equal(13, await archiver.LiveSessionsAsync());
        // The yearly time was 20 years earlier, when no worker was there.
        Assert.Equal(
            1,
            await archiver.Database.ExecuteAsync(
                "UPDATE archiver_quartz.qrtz_triggers SET next_fire_time = next_fire_time - 6307200000000000",
                Token
            )
        );
        await server.StopAsync(Token);
        await using var worker = await RunningWorker.StartAsync(archiver, Token);
        Assert.False(await worker.IsReadyAsync(Token));

        await server.StartAgainAsync(Token);
        archiver.Database.DataSource.Clear();

        await Eventually.TrueAsync(() => worker.IsReadyAsync(Token), Token, TimeSpan.FromMinutes(2));
        await Eventually.TrueAsync(async () => await archiver.LiveSessionsAsync() == 3, Token, TimeSpan.FromMinutes(2));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Takes_over_the_shard_of_a_killed_or_suspended_worker_so_that_each_session_is_archived_once(bool suspended)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 200, young: 3);
        await archiver.RunAsync("migrate");
        await archiver.Database.ExecuteAsync("UPDATE archiver.ledger SET created_at = now() - interval '400 days'");
        archiver
            .With("Schedule:Clustered", "true")
            .With("Schedule:Shards", "2")
            .With(Cron, EveryYear)
            .With("Batch:Sessions", "5")
            .With("Batch:Pause", "2s");
        // Alone it would take most of a minute: however long the start of the second one takes, something is left for it.
        // The first one finds the yearly time missed and begins both shards, or the second one gets a shard; either way the first dies in
        // the middle.
        await using var first = await RunningWorker.StartAsync(archiver, Token);
        await Eventually.TrueAsync(async () => await DoneAsync(archiver) > 0, Token, TimeSpan.FromMinutes(2));
        await using var second = await RunningWorker.StartAsync(archiver.With("Batch:Pause", "0s"), Token);
        if (suspended)
        {
            first.Suspend();
            // The server ends the lock of a worker that stands still after two minutes (idle_session_timeout); here at once.
            await archiver.Database.ExecuteAsync(
                "SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = "
                    + "l.database AND d.datname = current_database() WHERE l.locktype = 'advisory' AND l.mode = 'ExclusiveLock'",
                Token
            );
        }
        else
        {
            first.Kill();
        }

        await Eventually.TrueAsync(async () => await archiver.LiveSessionsAsync() == 3, Token, TimeSpan.FromMinutes(4));

        if (suspended)
        {
            first.Resume();
            Assert.Equal(0, (await first.StopAsync(Token)).ExitCode);
        }
        await second.StopAsync(Token);
        Assert.Equal(
            200,
            await archiver.Database.ScalarAsync<long>("SELECT count(DISTINCT session_id) FROM archiver.archives WHERE state = 'archived'")
        );
        Assert.Equal(200, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
        Assert.True(await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.runs WHERE state = 'interrupted'") > 0);
    }

    [Fact]
    public async Task A_run_asked_for_over_HTTP_is_done_once_whichever_worker_was_asked()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 10, young: 3);
        archiver.With("Schedule:Clustered", "true").With("Schedule:Shards", "2").With(Cron, EveryYear).With("Http:ApiKey", HttpFixture.Key);
        await using var first = await RunningWorker.StartAsync(archiver, Token);
        await using var second = await RunningWorker.StartAsync(archiver, Token);
        await first.LoggedAsync(Scheduled, Token);
        // It answers 503 until it has joined the cluster.
        var answer = HttpStatusCode.ServiceUnavailable;
        await Eventually.TrueAsync(async () => (answer = await AskForRunAsync(second)) != HttpStatusCode.ServiceUnavailable, Token);

        Assert.Equal(HttpStatusCode.Accepted, answer);
        await Eventually.TrueAsync(
            async () => await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.runs WHERE state <> 'running'") >= 2,
            Token
        );
        Assert.Equal(3, await archiver.LiveSessionsAsync());
        // Nothing more comes: each part was taken by one worker, and no other met its lock.
        await Eventually.TrueAsync(
            async () =>
                await archiver.Database.ScalarAsync<long>(
                    "SELECT count(*) FROM archiver_quartz.qrtz_triggers WHERE trigger_type = 'SIMPLE'"
                ) == 0,
            Token
        );
        Assert.Equal(
            2,
            await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.runs WHERE state = 'done' AND sessions_done > 0")
        );
        Assert.False(first.HasLogged(LockedElsewhere) || second.HasLogged(LockedElsewhere));
    }

    [Fact]
    public async Task A_run_asked_for_while_the_common_schedule_is_out_of_order_is_refused_for_now()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 1);
        archiver.With("Schedule:Clustered", "true").With(Cron, EveryYear).With("Http:ApiKey", HttpFixture.Key);
        await using var worker = await RunningWorker.StartAsync(archiver, Token);
        await worker.LoggedAsync(Scheduled, Token);
        await Eventually.TrueAsync(async () => await AskForRunAsync(worker) == HttpStatusCode.Accepted, Token);

        await archiver.Database.ExecuteAsync("ALTER TABLE archiver_quartz.qrtz_job_details RENAME TO away", Token);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await AskForRunAsync(worker));
    }

    private static async Task<HttpStatusCode> AskForRunAsync(RunningWorker worker)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/runs") { Content = JsonContent.Create(new { policy = "main/idle" }) };
        request.Headers.Authorization = new("Bearer", HttpFixture.Key);
        using var response = await worker.SendAsync(request, Token);
        return response.StatusCode;
    }

    private static async Task<long> DoneAsync(Installation archiver) =>
        await archiver.Database.ScalarAsync<bool>("SELECT to_regclass('archiver.runs') IS NOT NULL")
            ? await archiver.Database.ScalarAsync<long>("SELECT coalesce(sum(sessions_done), 0)::bigint FROM archiver.runs")
            : 0;

    private static Task<long> JobsAsync(Installation archiver) =>
        archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver_quartz.qrtz_job_details");
}

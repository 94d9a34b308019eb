using System.Net;
using System.Net.Http.Json;
using Archiver.Testing;
using Archiver.Worker.Tests.Http;
using static Archiver.Worker.Tests.ClusterEvents;
using static Archiver.Worker.Tests.Crons;

namespace Archiver.Worker.Tests;

/// <summary>Runs of a common schedule that are asked for or taken over are done once.</summary>
public sealed class ClusterRunTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

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
}

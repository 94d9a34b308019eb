using Archiver.Testing;
using static Archiver.Worker.Tests.ClusterEvents;
using static Archiver.Worker.Tests.Crons;

namespace Archiver.Worker.Tests;

/// <summary>Workers with a common schedule (<c>Schedule:Clustered</c>).</summary>
public sealed class ClusterTests(TestServers servers)
{
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

    /// <summary>Quartz refuses a trigger that never fires; so it was in a cluster and without one.</summary>
    [Theory]
    [InlineData("false")]
    [InlineData("true")]
    public async Task A_policy_whose_times_are_over_does_not_keep_the_others_from_their_schedule(string clustered)
    {
        const string Over = "0 0 2 1 1 ? 2020";
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 3);
        archiver
            .With("Schedule:Clustered", clustered)
            .With("Schedule:Verify", Over)
            .With(Cron, EverySecond)
            .With("Sources:main:Policies:before:Action", "Archive")
            .With("Sources:main:Policies:before:IdleFor", "300d")
            .With("Sources:main:Policies:before:Cron", Over);
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);

        await Eventually.TrueAsync(async () => await archiver.LiveSessionsAsync() == 3, Token, TimeSpan.FromMinutes(1));
        await Eventually.TrueAsync(() => worker.IsReadyAsync(Token), Token);

        Assert.Contains(
            "verify of source main not scheduled: the times of 0 0 2 1 1 ? 2020 are over",
            worker.Log,
            StringComparison.Ordinal
        );
        Assert.Contains("before of source main not scheduled", worker.Log, StringComparison.Ordinal);
    }

    private static Task<long> JobsAsync(Installation archiver) =>
        archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver_quartz.qrtz_job_details");
}

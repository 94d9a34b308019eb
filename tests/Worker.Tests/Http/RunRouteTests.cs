using System.Net;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Http;

/// <summary>Routes that start a run and tell whether the worker is ready.</summary>
public sealed class RunRouteTests(HttpFixture fixture, TestServers servers) : IClassFixture<HttpFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_port_that_is_taken_ends_a_worker_with_one_line_that_says_so()
    {
        await using var second = fixture.Archiver.Start(
            new Dictionary<string, string?> { ["Archiver__Http__Urls"] = fixture.Worker.Address.ToString() },
            "run"
        );

        var result = await second.WaitForExitAsync(Token);

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("archiver: Cannot listen on", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("BackgroundService", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Starts_a_policy_through_its_job()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 2);
        archiver.With("Http:ApiKey", HttpFixture.Key).With("Sources:main:Policies:idle:Cron", "0 0 2 1 1 ?");
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);
        await worker.LoggedAsync(6003, Token);

        using var started = await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Post, "/runs", """{"policy": "main/idle"}"""), Token);
        await Eventually.TrueAsync(async () => await archiver.LiveSessionsAsync() == 2, Token);

        Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        foreach (
            var (body, status) in new[]
            {
                ("""{"policy": "main/none"}""", 400),
                ("{}", 400),
                ("""{"policy": "main/idle", "force": true}""", 400),
                ("[", 400),
                ("""{"policy": "a\u0000b"}""", 400),
            }
        )
            Assert.Equal(
                (body, status),
                (body, (int)(await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Post, "/runs", body), Token)).StatusCode)
            );
    }

    [Fact]
    public async Task Is_not_ready_once_a_policy_has_missed_two_of_its_times_without_success()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 2);
        archiver.With("Sources:main:Policies:idle:Cron", "0 0 2 1 1 ?");
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);
        await Eventually.TrueAsync(() => worker.IsReadyAsync(Token), Token);

        await archiver.Database.ExecuteAsync("UPDATE archiver.ledger SET created_at = now() - interval '3 years'");
        await Eventually.TrueAsync(async () => !await worker.IsReadyAsync(Token), Token);
        using var answer = await worker.SendAsync(new(HttpMethod.Get, "/health/ready"), Token);

        Assert.Equal("""{"status":"not ready","sources":{"main":"late"}}""", await answer.Content.ReadAsStringAsync(Token));
    }

    [Theory]
    [InlineData("paused in the configuration")]
    [InlineData("dry")]
    [InlineData("paused")]
    [InlineData("paused under a name that is configured no more")]
    [InlineData("resumed")]
    public async Task Stays_ready_while_its_policies_are_paused_or_dry_and_after(string how)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 2);
        archiver.With("Sources:main:Policies:idle:Cron", "0 0 2 1 1 ?");
        if (how == "dry")
            archiver.With("Sources:main:Policies:idle:DryRun", "true");
        if (how == "paused in the configuration")
            archiver.With("Sources:main:Policies:idle:Paused", "true");
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);
        await worker.LoggedAsync(6003, Token);
        if (how is "paused" or "resumed")
            Assert.Equal(0, (await archiver.RunAsync("pause", "main/idle")).ExitCode);
        if (how == "paused under a name that is configured no more")
            await archiver.Database.ExecuteAsync("INSERT INTO archiver.pauses (source, policy, paused_by) VALUES ('main', 'former', 'me')");
        if (how == "resumed")
            Assert.Equal(0, (await archiver.RunAsync("resume", "main/idle")).ExitCode);
        await archiver.Database.ExecuteAsync("UPDATE archiver.ledger SET created_at = now() - interval '3 years'");

        // Asked once: an answer is kept for a moment.
        using var answer = await worker.SendAsync(new(HttpMethod.Get, "/health/ready"), Token);

        Assert.Equal("""{"status":"ready"}""", await answer.Content.ReadAsStringAsync(Token));
    }
}

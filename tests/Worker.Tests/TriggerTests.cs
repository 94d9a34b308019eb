using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>The manual trigger by environment.</summary>
public sealed class TriggerTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("archive")]
    [InlineData("TRUE")]
    [InlineData("1")]
    [InlineData("all")]
    [InlineData("main/idle")]
    public async Task Runs_once_and_exits_with_the_outcome(string value)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 2);

        var result = await TriggerAsync(archiver, value);

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(2, await archiver.LiveSessionsAsync());
    }

    [Theory]
    [InlineData("purge", 2, 4)]
    [InlineData("all", 0, 2)]
    public async Task Runs_the_policies_of_an_action_or_all_of_them(string value, int archivable, int live)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 2, messages: 1, preset: "soft-delete");
        archiver.With("Sources:main:Policies:purge:Action", "Purge").With("Sources:main:Policies:purge:DeletedFor", "90d");
        await archiver.Database.ExecuteAsync(
            """
            UPDATE chat_sessions SET deleted_at = NULL;
            UPDATE chat_sessions SET deleted_at = now() - interval '91 days', last_activity = (now() AT TIME ZONE 'UTC') - interval '1 day'
              WHERE id IN (SELECT id FROM chat_sessions WHERE last_activity < now() - interval '90 days' ORDER BY id LIMIT 3)
            """
        );

        var result = await TriggerAsync(archiver, value);

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(
            3,
            await archiver.Database.ScalarAsync<long>(
                "SELECT sum((counts ->> 'sessions')::int)::bigint FROM archiver.audit WHERE action = 'purge'"
            )
        );
        // Seven sessions: three purged, two idle ones that an archive run takes, two young ones.
        Assert.Equal(
            (archivable, live),
            (
                await archiver.Database.ScalarAsync<long>(
                    "SELECT count(*) FROM chat_sessions WHERE last_activity < now() - interval '90 days'"
                ),
                await archiver.LiveSessionsAsync()
            )
        );
    }

    [Fact]
    public async Task Runs_an_expiry()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 2, messages: 1, preset: "status-expiry");
        archiver.With("Sources:main:Policies:expire:Action", "Expire").With("Sources:main:Policies:expire:ExpiredFor", "0s");
        await archiver.Database.ExecuteAsync(
            "UPDATE sessions SET status = 'active', expires_at = CASE WHEN updated_at < now() - interval "
                + "'90 days' THEN now() - interval '1 second' END"
        );

        var result = await TriggerAsync(archiver, "expire");

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(
            "2 active, 3 expired",
            await archiver.Database.ScalarAsync<string>(
                "SELECT string_agg(n || ' ' || status, ', ' ORDER "
                    + "BY status) FROM (SELECT status, count(*) AS n FROM sessions GROUP BY status) AS s"
            )
        );
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.runs WHERE state = 'done'"));
    }

    [Fact]
    public async Task Exits_with_1_when_the_run_failed()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 2);

        var result = await TriggerAsync(archiver.With("Storage:Bucket", "no-such-bucket-here"), "archive");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal(7, await archiver.LiveSessionsAsync());
    }

    [Fact]
    public async Task A_second_one_at_the_same_time_exits_with_3_and_does_nothing()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 200, young: 0);
        archiver.With("Batch:Sessions", "5").With("Batch:Pause", "100ms");
        await using var first = archiver.Start(new Dictionary<string, string?> { ["ARCHIVER_TRIGGER"] = "archive" }, "run");
        await first.WaitForTextAsync("\"@i\":1002", Token);

        var second = await TriggerAsync(archiver, "archive");

        Assert.Equal(3, second.ExitCode);
        Assert.Equal(0, (await first.WaitForExitAsync(Token)).ExitCode);
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.runs"));
    }

    [Theory]
    [InlineData("purge")]
    [InlineData("main/other")]
    public async Task Exits_with_2_when_nothing_answers_to_it(string value)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);

        var result = await TriggerAsync(archiver, value);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"ARCHIVER_TRIGGER is '{value}'", result.Error, StringComparison.Ordinal);
        Assert.Equal(1, await archiver.LiveSessionsAsync());
    }

    [Fact]
    public async Task Goes_on_as_a_worker_when_told_not_to_exit()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 2);
        await using var worker = await RunningWorker.StartAsync(
            archiver,
            Token,
            ("ARCHIVER_TRIGGER", "archive"),
            ("ARCHIVER_TRIGGER_EXIT", "false")
        );

        await Eventually.TrueAsync(async () => await archiver.LiveSessionsAsync() == 2, Token);

        Assert.True(await worker.IsReadyAsync(Token));
        Assert.Equal(0, (await worker.StopAsync(Token)).ExitCode);
    }

    private static async Task<ProcessResult> TriggerAsync(Installation archiver, string value)
    {
        await using var process = archiver.Start(new Dictionary<string, string?> { ["ARCHIVER_TRIGGER"] = value });
        return await process.WaitForExitAsync(Token);
    }
}

using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

public sealed class StatusVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Status_shows_backlog_runs_and_warnings_and_the_same_as_json()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 12, young: 3);
        archiver.With("Growth:MessagesTable", "1kB");
        await archiver.RunAsync("archive", "--max-sessions", "5");
        await archiver.RunAsync("pause", "main/idle");

        var text = await archiver.RunAsync("status");
        var json = await archiver.RunAsync("status", "--json");

        Assert.Equal((0, 0), (text.ExitCode, json.ExitCode));
        Assert.Matches(@"idle +Archive +7 +\d", text.Output);
        Assert.Contains("Paused: main/idle. Go on with: archiver resume", text.Output, StringComparison.Ordinal);
        Assert.Contains("more than Growth:MessagesTable (1.0 kB)", text.Output, StringComparison.Ordinal);
        var status = Assert.Single(JsonDocument.Parse(json.Output).RootElement.EnumerateArray());
        var policy = Assert.Single(status.GetProperty("policies").EnumerateArray());
        Assert.Equal((7, true), (policy.GetProperty("eligible").GetInt32(), policy.GetProperty("paused").GetBoolean()));
        Assert.True(policy.GetProperty("seconds_past_cut_off").GetDouble() > 0);
        Assert.Equal(5, status.GetProperty("archives").GetProperty("archived").GetInt32());
        Assert.Equal("done", Assert.Single(status.GetProperty("runs").EnumerateArray()).GetProperty("state").GetString());
    }

    [Fact]
    public async Task Status_without_a_ledger_says_how_to_make_one()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0, ledger: false);

        var result = await archiver.RunAsync("status");

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("archiver migrate", result.Error, StringComparison.Ordinal);
    }

    /// <summary>Nobody is to wait for a run whose worker is gone: only the next run would settle its record.</summary>
    [Fact]
    public async Task Status_shows_a_run_as_interrupted_whose_worker_is_gone()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await using (var worker = archiver.Start(ProcessFault.At("archive.object-stored"), "archive"))
            Assert.Equal(ProcessFault.Killed, (await worker.WaitForExitAsync(Token)).ExitCode);
        Assert.Equal("running", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs"));

        await Eventually.TrueAsync(async () => await StateAsync() == "interrupted", Token);

        async Task<string?> StateAsync()
        {
            var status = await archiver.RunAsync("status", "--json");
            return JsonDocument.Parse(status.Output).RootElement[0].GetProperty("runs")[0].GetProperty("state").GetString();
        }
    }
}

using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>The main job through the executable.</summary>
public sealed class ArchiveVerbTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Archives_what_is_idle_and_a_second_run_does_nothing()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 30, young: 7);

        var first = await archiver.RunAsync("archive");
        var second = await archiver.RunAsync("archive");

        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
        Assert.Contains("main/idle: done, 30 sessions archived", first.Output, StringComparison.Ordinal);
        Assert.Contains("main/idle: done, no session archived", second.Output, StringComparison.Ordinal);
        Assert.Equal(7, await archiver.LiveSessionsAsync());
        Assert.Equal(30, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);
    }

    [Fact]
    public async Task Writes_plain_lines_and_no_escape_codes_where_nobody_watches()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token);

        var result = await archiver.RunAsync("archive");

        Assert.Contains("main/idle: 0 of 20 sessions", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', result.Output + result.Error);
        // The log is JSON lines, each of them, and says in one event how the run ended.
        var events = result
            .Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => JsonDocument.Parse(l).RootElement)
            .ToList();
        var summary = Assert.Single(events, e => e.TryGetProperty("@i", out var id) && id.GetInt32() == 1001);
        Assert.Equal(("Done", 20), (summary.GetProperty("Outcome").GetString(), summary.GetProperty("Sessions").GetInt32()));
    }

    [Fact]
    public async Task Shows_a_bar_on_a_terminal_and_keeps_it_out_of_redirected_data()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token);
        var data = Path.GetTempFileName();
        try
        {
            await using var process = archiver.StartOnTerminal($"archive > {data}");

            var result = await process.WaitForExitAsync(Token);

            Assert.Equal(0, result.ExitCode);
            Assert.Contains("main/idle", result.Output, StringComparison.Ordinal);
            Assert.Contains("100%", result.Output, StringComparison.Ordinal);
            Assert.StartsWith("main/idle: done, 20 sessions archived", await File.ReadAllTextAsync(data, Token), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(data);
        }
    }

    [Fact]
    public async Task Writes_log_lines_above_the_bar_on_lines_of_their_own()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token);
        archiver.With("Sources:main:Policies:other:Action", "Archive").With("Sources:main:Policies:other:IdleFor", "100d");
        await using var process = archiver.StartOnTerminal("archive --policy idle");

        var result = await process.WaitForExitAsync(Token);

        Assert.Equal(0, result.ExitCode);
        // Before the time there is nothing on its line: its start, or what moved the cursor there and cleared it.
        Assert.Matches(
            @"(^|[\r\n]|\u001b\[\d*[AKJ])(\u001b\[[\d;]*m)*\d\d:\d\d:\d\d WRN main/idle and main/other both take",
            result.Output
        );
    }

    [Fact]
    public async Task A_dry_run_says_what_it_would_take_and_takes_nothing()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token);
        var before = await archiver.RowsAsync();

        var result = await archiver.With("Sources:main:Policies:idle:DryRun", "true").RunAsync("archive");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("main/idle: dry run, a real one would take 20 sessions", result.Output, StringComparison.Ordinal);
        Assert.Equal(
            result.Output,
            (await archiver.With("Sources:main:Policies:idle:DryRun", null).RunAsync("archive", "--dry-run")).Output
        );
        Assert.Equal(before, await archiver.RowsAsync());
    }

    [Fact]
    public async Task Prints_nothing_but_JSON_when_asked_for_JSON()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token);

        var result = await archiver.RunAsync("archive", "--json", "--max-sessions", "8");

        var run = Assert.Single(JsonDocument.Parse(result.Output).RootElement.EnumerateArray());
        Assert.Equal(
            ("main", "idle", "done", 8),
            (
                run.GetProperty("source").GetString(),
                run.GetProperty("policy").GetString(),
                run.GetProperty("outcome").GetString(),
                run.GetProperty("sessions").GetInt32()
            )
        );
        Assert.Equal(17, await archiver.LiveSessionsAsync());
    }

    [Fact]
    public async Task Ctrl_C_ends_with_130_and_leaves_every_session_whole()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 300, young: 0);
        await using var process = archiver.With("Batch:Sessions", "5").With("Batch:Pause", "5s").Start("archive");
        await Eventually.TrueAsync(async () => await LedgerHasAsync(archiver, "archived") > 0, Token, TimeSpan.FromMinutes(2));

        process.SendSignal(ProcessSignal.Interrupt);
        var result = await process.WaitForExitAsync(Token);

        Assert.Equal(130, result.ExitCode);
        Assert.Contains("main/idle: stopped on request", result.Output, StringComparison.Ordinal);
        var live = await archiver.LiveSessionsAsync();
        Assert.InRange(live, 1, 299);
        Assert.Equal(300 - live, await LedgerHasAsync(archiver, "archived"));
        Assert.Equal(live * 4, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_messages"));
        Assert.Equal("cancelled", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.runs"));

        Assert.Equal(0, (await archiver.With("Batch:Pause", "0s").With("Batch:Sessions", "1000").RunAsync("archive")).ExitCode);
        Assert.Equal(0, await archiver.LiveSessionsAsync());
    }

    private static async Task<long> LedgerHasAsync(Installation archiver, string state) =>
        await archiver.Database.ScalarAsync<bool>("SELECT to_regclass('archiver.archives') IS NOT NULL")
            ? await archiver.Database.ScalarAsync<long>($"SELECT count(*) FROM archiver.archives WHERE state = '{state}'")
            : 0;

    /// <summary>A script that reads 3 goes on as if nothing had been changed.</summary>
    [Fact]
    public async Task A_refusal_ends_with_3_only_where_nothing_was_changed()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 1);
        archiver
            .With("Sources:second:ConnectionString", archiver.Database.ConnectionString)
            .With("Sources:second:Preset", "last-accessed")
            .With("Sources:second:Prefix", "second")
            .With("Sources:second:Policies:idle:Action", "Archive")
            .With("Sources:second:Policies:idle:IdleFor", "90d");

        var mixed = await archiver.RunAsync("archive");
        var refused = await archiver.RunAsync("archive");

        Assert.Contains("main/idle: done, 3 sessions archived", mixed.Output, StringComparison.Ordinal);
        Assert.Contains("second/idle: refused, nothing was changed", mixed.Output, StringComparison.Ordinal);
        Assert.Equal((1, 3), (mixed.ExitCode, refused.ExitCode));
    }
}

using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Http;

/// <summary>Metrics: the text that a real Prometheus takes.</summary>
public sealed class MetricsTests(HttpFixture fixture, TestServers servers) : IClassFixture<HttpFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Promtool_finds_no_fault_and_the_numbers_are_right()
    {
        var text = await ReadAsync(fixture.Worker);

        await using var promtool = ChildProcess.Start(PrometheusTools.Find("promtool"), ["check", "metrics"], input: text);
        var checkedBy = await promtool.WaitForExitAsync(Token);

        Assert.Equal((0, "", ""), (checkedBy.ExitCode, checkedBy.Output, checkedBy.Error));
        const string policy = "source=\"main\",policy=\"idle\",action=\"archive\"";
        Assert.Equal(8, Value(text, $"archiver_eligible_sessions{{{policy}}}"));
        Assert.Equal(12, Value(text, $"archiver_sessions_total{{{policy},outcome=\"done\"}}"));
        Assert.Equal(12 * 7, Value(text, $"archiver_rows_total{{{policy}}}"));
        Assert.Equal(1, Value(text, $"archiver_runs_total{{{policy},state=\"done\"}}"));
        Assert.Equal(0, Value(text, $"archiver_verify_failures_total{{{policy}}}"));
        Assert.Equal(12, Value(text, "archiver_archives{source=\"main\",state=\"archived\"}"));
        Assert.Equal(0, Value(text, $"archiver_paused{{{policy}}}"));
        Assert.True(Value(text, $"archiver_past_cut_off_seconds{{{policy}}}") > 0);
        Assert.True(Value(text, $"archiver_eligible_size_bytes{{{policy}}}") > 1000);
        Assert.True(Value(text, $"archiver_last_success_time_seconds{{{policy}}}") > 1_700_000_000);
        Assert.True(Value(text, "archiver_table_size_bytes{source=\"main\",table=\"public.chat_messages\"}") > 8192);
        foreach (
            var name in new[]
            {
                "archiver_quarantined_sessions",
                "archiver_holds",
                "archiver_source_up",
                "archiver_trip_wire",
                "archiver_table_dead_rows",
                "archiver_build_info",
            }
        )
            Assert.Contains($"\n{name}{{", text, StringComparison.Ordinal);
        Assert.InRange(Value(text, "process_resident_memory_bytes"), 10e6, 1e9);
        Assert.DoesNotContain(fixture.Archived[0], text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Alert_rules_and_dashboard_ask_for_metrics_that_exist()
    {
        var rules = Repository.File("deploy/prometheus/archiver.rules.yml");
        await using var promtool = ChildProcess.Start(PrometheusTools.Find("promtool"), ["check", "rules", rules]);
        var result = await promtool.WaitForExitAsync(Token);
        Assert.True(result.ExitCode == 0, result.Output + result.Error);
        // Refuse one, measure none and schedule no proof (ProofTests sees those): the others show without anything happening.
        (await fixture.Worker.SendAsync(new(HttpMethod.Get, "/"), Token)).Dispose();
        var there = Regex
            .Matches(await ReadAsync(fixture.Worker), "(?m)^# TYPE (\\S+)")
            .Select(m => m.Groups[1].Value)
            .Concat([
                "archiver_batch_duration_seconds_bucket",
                "archiver_batch_sessions_total",
                "archiver_left_sessions_total",
                "archiver_proof_done_time_seconds",
                "archiver_proof_found",
                "archiver_proof_not_done",
            ])
            .ToHashSet();

        var asked = Regex
            .Matches(
                await File.ReadAllTextAsync(rules, Token)
                    + await File.ReadAllTextAsync(Repository.File("deploy/grafana/archiver.json"), Token),
                @"(?:archiver|process)_[a-z_]+(?=[\s{\[)])"
            )
            .Select(m => m.Value)
            .ToHashSet();

        Assert.True(asked.Count > 15, "The pattern finds no metrics: the test could not fail.");
        Assert.Subset(there, asked);
    }

    [Fact]
    public async Task Batches_are_measured_phase_by_phase_and_a_real_Prometheus_scrapes_it_all()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 6, young: 1);
        archiver.With("Http:ApiKey", HttpFixture.Key).With("Sources:main:Policies:idle:Cron", "* * * * * ?");
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);
        await Eventually.TrueAsync(async () => await archiver.LiveSessionsAsync() == 1, Token);
        await using var prometheus = await PrometheusTools.StartAsync(worker.Address, HttpFixture.Key, Token);

        foreach (var phase in new[] { "export", "upload", "verify", "delete" })
            await Eventually.TrueAsync(
                async () => await prometheus.QueryAsync($"archiver_batch_sessions_total{{phase=\"{phase}\"}}", Token) == 6,
                Token
            );
        await Eventually.TrueAsync(
            async () => await prometheus.QueryAsync("archiver_sessions_total{outcome=\"done\"}", Token) == 6,
            Token,
            TimeSpan.FromMinutes(1)
        );
        Assert.True(
            await prometheus.QueryAsync("histogram_quantile(0.5, archiver_batch_duration_seconds_bucket{phase=\"delete\"})", Token) > 0
        );
        // One scrape of many may be late on a busy machine.
        await Eventually.TrueAsync(async () => await prometheus.QueryAsync("up", Token) == 1, Token);
    }

    [Fact]
    public async Task A_policy_that_never_succeeded_has_a_last_success_as_old_as_the_ledger()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.Database.ExecuteAsync("UPDATE archiver.ledger SET created_at = '2026-01-02T03:04:05Z'", Token);
        // By its configuration it does not run, and the dry one never will.
        archiver
            .With("Http:ApiKey", HttpFixture.Key)
            .With("Sources:main:Policies:idle:Paused", "true")
            .With("Sources:main:Policies:trial:Action", "Archive")
            .With("Sources:main:Policies:trial:IdleFor", "300d")
            .With("Sources:main:Policies:trial:DryRun", "true");
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);

        var text = await ReadAsync(worker);

        Assert.Equal(
            DateTimeOffset.Parse("2026-01-02T03:04:05Z", CultureInfo.InvariantCulture).ToUnixTimeSeconds(),
            Value(text, "archiver_last_success_time_seconds{source=\"main\",policy=\"idle\",action=\"archive\"}")
        );
        Assert.DoesNotContain("archiver_last_success_time_seconds{source=\"main\",policy=\"trial\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pause_of_a_former_name_shows_on_every_policy_that_it_stops()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        await archiver.Database.ExecuteAsync(
            "INSERT INTO archiver.pauses (source, policy, paused_by) VALUES ('main', 'old', 'test')",
            Token
        );
        await using var worker = await RunningWorker.InvokeAsync(archiver.With("Http:ApiKey", HttpFixture.Key), Token);

        Assert.Equal(1, Value(await ReadAsync(worker), "archiver_paused{source=\"main\",policy=\"idle\",action=\"archive\"}"));
    }

    private static async Task<string> ReadAsync(RunningWorker worker)
    {
        using var response = await worker.SendAsync(HttpFixture.Bearer(HttpMethod.Get, "/metrics"), Token);
        Assert.Equal(
            (HttpStatusCode.OK, "text/plain; version=0.0.4; charset=utf-8"),
            (response.StatusCode, response.Content.Headers.ContentType!.ToString())
        );
        return await response.Content.ReadAsStringAsync(Token);
    }

    private static double Value(string text, string series)
    {
        var line = Regex.Match(text, $"(?m)^{Regex.Escape(series)} (\\S+)$");
        Assert.True(line.Success, $"No series {series} in:\n{text}");
        return double.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture);
    }
}

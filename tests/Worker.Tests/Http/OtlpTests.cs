using System.Text;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Http;

/// <summary>What goes out over OTLP, as the configuration file says where.</summary>
public sealed class OtlpTests(TestServers servers) : IAsyncLifetime
{
    private const string Metrics = "/v1/metrics",
        Traces = "/v1/traces";

    private readonly string _folder = Directory.CreateTempSubdirectory("archiver-otlp-").FullName;
    private Installation? _archiver;
    private OtlpCollector? _collector;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private Installation Archiver => _archiver!;

    private OtlpCollector Collector => _collector!;

    [Fact]
    public async Task The_same_metrics_go_out_under_the_name_that_the_file_gives()
    {
        await using var worker = await StartAsync("\"OTEL_SERVICE_NAME\": \"night-shift\", \"OTEL_RESOURCE_ATTRIBUTES\": \"team=chat\"");

        foreach (var text in new[] { "archiver.eligible.sessions", "archiver.table.size", "archiver.past_cut_off", "night-shift", "team" })
            await Eventually.TrueAsync(() => Collector.Has(Metrics, text), Token, what: text);
        Assert.Equal(0, (await worker.StopAsync()).ExitCode);
    }

    [Fact]
    public async Task A_run_is_a_trace_of_batches_and_their_stages_down_to_the_statements()
    {
        Archiver.With("Batch:Sessions", "3").With("Sources:main:Policies:idle:Cron", "* * * * * ?");
        await using var worker = await StartAsync("");

        var run = await FirstRunAsync();
        Assert.Equal(0, (await worker.StopAsync()).ExitCode);

        var spans = Collector.Spans;
        Assert.Equal("", run.Parent);
        var batches = spans.Where(s => s.Name == "archiver.batch" && s.Parent == run.Id).ToList();
        Assert.Equal(2, batches.Count);
        foreach (var batch in batches)
        {
            var stages = spans.Where(s => s.Parent == batch.Id).ToDictionary(s => s.Name, StringComparer.Ordinal);
            Assert.Equal(
                ["archiver.delete", "archiver.export", "archiver.upload", "archiver.verify"],
                stages.Keys.Order(StringComparer.Ordinal)
            );
            Assert.Contains(spans, s => s.Parent == stages["archiver.delete"].Id);
            Assert.Contains(spans, s => s.Parent == stages["archiver.export"].Id);
        }
    }

    [Fact]
    public async Task Traces_hold_no_id_no_text_and_no_error_of_the_server()
    {
        // A delete that the server refuses with a message that quotes a row.
        var ids = (await Archiver.Database.CopyOutAsync("SELECT session_id FROM chat_sessions")).Split(
            '\n',
            StringSplitOptions.RemoveEmptyEntries
        );
        await Archiver.Database.ExecuteAsync(
            """
            CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'quoting %', OLD.content; END $$;
            CREATE TRIGGER shout BEFORE DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION shout();
            UPDATE chat_messages SET content = 'a most private word';
            """
        );
        Archiver.With("Sources:main:Policies:idle:Cron", "* * * * * ?");
        await using var worker = await StartAsync("");

        var run = await FirstRunAsync();
        await worker.StopAsync();

        Assert.Contains(Collector.Spans, s => s.Trace == run.Trace && s.Failed && s.Id != run.Id);
        var sent = string.Concat(Collector.Received.Where(r => r.Path == Traces).Select(r => Encoding.UTF8.GetString(r.Body)));
        Assert.All(ids, id => Assert.DoesNotContain(id, sent, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("private", sent, StringComparison.Ordinal);
        Assert.DoesNotContain("quoting", sent, StringComparison.Ordinal);
        Assert.DoesNotContain("SELECT", sent, StringComparison.OrdinalIgnoreCase);
        Assert.All(Collector.Spans, s => Assert.Equal(0, s.Events));
    }

    [Fact]
    public async Task Each_signal_can_be_left_out()
    {
        Archiver.With("Sources:main:Policies:idle:Cron", "* * * * * ?");
        await using var worker = await StartAsync("\"OTEL_TRACES_EXPORTER\": \"none\"");

        await Eventually.TrueAsync(async () => await Archiver.LiveSessionsAsync() == 1, Token);
        await Eventually.TrueAsync(() => Collector.Received.Any(r => r.Path == Metrics), Token, what: "metrics");
        await worker.StopAsync();

        Assert.DoesNotContain(Collector.Received, r => r.Path == Traces);
    }

    public async ValueTask InitializeAsync()
    {
        _collector = await OtlpCollector.StartAsync(Token);
        _archiver = (await Installation.CreateAsync(servers, Token, idle: 6, young: 1)).With(
            "Sources:main:Policies:idle:Cron",
            "0 0 2 1 1 ?"
        );
        await _archiver.RunAsync("migrate");
    }

    public async ValueTask DisposeAsync()
    {
        if (_archiver is not null)
            await _archiver.DisposeAsync();
        if (_collector is not null)
            await _collector.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>
    /// The span of this worker's first run: others in this process trace theirs, too. It comes after all that are below it.
    /// </summary>
    private async Task<OtlpSpan> FirstRunAsync()
    {
        OtlpSpan? run = null;
        await Eventually.TrueAsync(
            async () =>
            {
                var id = await Archiver.Database.ScalarAsync<string>("SELECT id::text FROM archiver.runs ORDER BY id LIMIT 1");
                run = id is null
                    ? null
                    : Collector.Spans.FirstOrDefault(s => s.Name == "archiver.run" && s.Text.Contains(id, StringComparison.Ordinal));
                return run is not null;
            },
            Token,
            what: "the span of the first run"
        );
        return run!;
    }

    /// <summary>A worker, all of whose OTEL keys stand in the file of its working folder.</summary>
    private async Task<Invocation> StartAsync(string keys)
    {
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "appsettings.json"),
            $$"""
            { "OTEL_EXPORTER_OTLP_ENDPOINT": "{{Collector.Endpoint}}", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
              "OTEL_METRIC_EXPORT_INTERVAL": "300", "OTEL_BSP_SCHEDULE_DELAY": "300"{{(keys.Length == 0 ? "" : ", ")}}{{keys}} }
            """,
            Token
        );
        return Archiver.Invoke(null, _folder, new Dictionary<string, string?>(), "run");
    }
}

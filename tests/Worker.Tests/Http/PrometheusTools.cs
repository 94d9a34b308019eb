using System.Globalization;
using System.Net;
using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Http;

/// <summary>A real Prometheus, from Debian's package, that scrapes one worker every second.</summary>
internal sealed class PrometheusTools : IAsyncDisposable
{
    private readonly HttpClient _http;
    private readonly ChildProcess _process;
    private readonly string _folder;

    private PrometheusTools(HttpClient http, ChildProcess process, string folder) => (_http, _process, _folder) = (http, process, folder);

    /// <summary>Path of a program of the package. Skips the test where it is not installed; fails it in CI.</summary>
    public static string Find(string name)
    {
        var path = $"/usr/bin/{name}";
        if (File.Exists(path))
            return path;
        const string message = "needs Debian's package prometheus (./test.sh installs it)";
        if (Environment.GetEnvironmentVariable("CI") is { Length: > 0 })
            Assert.Fail(message);
        Assert.Skip(message);
        return path;
    }

    public static async Task<PrometheusTools> StartAsync(Uri target, string key, CancellationToken cancellationToken)
    {
        var program = Find("prometheus");
        var folder = Directory.CreateTempSubdirectory("archiver-prometheus-").FullName;
        await File.WriteAllTextAsync(
            Path.Combine(folder, "prometheus.yml"),
            $$"""
            global: { scrape_interval: 1s }
            scrape_configs:
              - job_name: archiver
                authorization: { credentials: {{key}} }
                static_configs: [ { targets: [ "{{target.Authority}}" ] } ]
            """,
            cancellationToken
        );
        // A port is asked for, not chosen by Prometheus: it cannot say which one it took.
        using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var address = $"127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
        probe.Stop();
        var process = ChildProcess.Start(
            program,
            [$"--config.file={folder}/prometheus.yml", $"--storage.tsdb.path={folder}/data", $"--web.listen-address={address}"]
        );
        var http = new HttpClient { BaseAddress = new Uri($"http://{address}") };
        var prometheus = new PrometheusTools(http, process, folder);
        await Eventually.TrueAsync(prometheus.AnswersAsync, cancellationToken);
        return prometheus;
    }

    /// <summary>The value of an instant query with one result; null without a result.</summary>
    public async Task<double?> QueryAsync(string query, CancellationToken cancellationToken)
    {
        var answer = JsonDocument
            .Parse(await _http.GetStringAsync($"/api/v1/query?query={Uri.EscapeDataString(query)}", cancellationToken))
            .RootElement;
        var result = answer.GetProperty("data").GetProperty("result");
        return result.GetArrayLength() == 0
            ? null
            : double.Parse(result[0].GetProperty("value")[1].GetString()!, CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        Assert.False(_process.HasExited, _process.Error);
        try
        {
            return (await _http.GetAsync("/-/ready")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}

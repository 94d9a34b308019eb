using System.Net;
using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>A started <c>archiver run</c> and its HTTP side.</summary>
internal sealed class RunningWorker : IAsyncDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(30) };
    private readonly ChildProcess _process;

    private RunningWorker(ChildProcess process) => _process = process;

    /// <summary>The events it has logged so far.</summary>
    public IReadOnlyList<JsonElement> Events =>
        [.. _process.Error.Split('\n').Where(l => l.StartsWith('{') && l.EndsWith('}')).Select(l => JsonDocument.Parse(l).RootElement)];

    /// <summary>Starts it and returns when it listens.</summary>
    public static async Task<RunningWorker> StartAsync(Installation archiver, CancellationToken cancellationToken, params (string Name, string Value)[] variables)
    {
        var worker = new RunningWorker(archiver.Start(variables.ToDictionary(v => v.Name, v => (string?)v.Value), "run"));
        await worker.LoggedAsync(6000, cancellationToken);
        worker._http.BaseAddress = new Uri(worker.Events.First(e => IdOf(e) == 6000).GetProperty("Urls").GetString()!);
        return worker;
    }

    /// <summary>Waits for an event of that id.</summary>
    public async Task LoggedAsync(int id, CancellationToken cancellationToken)
    {
        await Eventually.TrueAsync(() => _process.HasExited || Events.Any(e => IdOf(e) == id), cancellationToken, what: $"event {id}");
        Assert.True(Events.Any(e => IdOf(e) == id), $"The worker ended without event {id}: {_process.Error}");
    }

    /// <summary>Everything it has written to stderr so far.</summary>
    public string Log => _process.Error;

    /// <summary>Where it listens.</summary>
    public Uri Address => _http.BaseAddress!;

    public int ProcessId => _process.Id;

    public bool HasLogged(int id) => Events.Any(e => IdOf(e) == id);

    public async Task<HttpStatusCode> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync(path, cancellationToken);
        return response.StatusCode;
    }

    /// <summary>Sends a request; redirects are not followed.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => _http.SendAsync(request, cancellationToken);

    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken) => await GetAsync("/health/ready", cancellationToken) == HttpStatusCode.OK;

    /// <summary>Sends SIGTERM and waits for the end.</summary>
    public async Task<ProcessResult> StopAsync(CancellationToken cancellationToken)
    {
        _process.SendSignal(ProcessSignal.Terminate);
        return await _process.WaitForExitAsync(cancellationToken).WaitAsync(TimeSpan.FromSeconds(30), cancellationToken);
    }

    /// <summary>Ends it as a crash would.</summary>
    public void Kill() => _process.SendSignal(ProcessSignal.Kill);

    /// <summary>Lets it stand still, as a machine that was suspended would.</summary>
    public void Suspend() => _process.SendSignal(ProcessSignal.Stop);

    public void Resume() => _process.SendSignal(ProcessSignal.Continue);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
    }

    private static int IdOf(JsonElement logged) => logged.TryGetProperty("@i", out var id) ? id.GetInt32() : 0;
}

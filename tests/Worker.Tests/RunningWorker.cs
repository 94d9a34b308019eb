using System.Net;
using System.Text.Json;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>A started <c>archiver run</c>, as a process or in this one, and its HTTP side.</summary>
internal sealed class RunningWorker : IAsyncDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(30) };
    private readonly ChildProcess? _process;
    private readonly Invocation? _invocation;

    private RunningWorker(ChildProcess? process, Invocation? invocation) => (_process, _invocation) = (process, invocation);

    /// <summary>The events it has logged so far.</summary>
    public IReadOnlyList<JsonElement> Events =>
        [.. Log.Split('\n').Where(l => l.StartsWith('{') && l.EndsWith('}')).Select(l => JsonDocument.Parse(l).RootElement)];

    /// <summary>Starts the executable and returns when it listens.</summary>
    public static Task<RunningWorker> StartAsync(
        Installation archiver,
        CancellationToken cancellationToken,
        params (string Name, string Value)[] variables
    ) =>
        ListeningAsync(
            new(archiver.Start(variables.ToDictionary(v => v.Name, v => (string?)v.Value), "run"), invocation: null),
            cancellationToken
        );

    /// <summary>
    /// Starts it in this process and returns when it listens: for what is about its HTTP side and its schedule, not about a process.
    /// </summary>
    public static Task<RunningWorker> InvokeAsync(
        Installation archiver,
        CancellationToken cancellationToken,
        params (string Name, string Value)[] variables
    ) =>
        ArchiverProcess.AlwaysProcess
            ? StartAsync(archiver, cancellationToken, variables)
            : ListeningAsync(
                new(process: null, archiver.Invoke(null, null, variables.ToDictionary(v => v.Name, v => (string?)v.Value), "run")),
                cancellationToken
            );

    /// <summary>Waits for an event of that id.</summary>
    public async Task LoggedAsync(int id, CancellationToken cancellationToken)
    {
        await Eventually.TrueAsync(() => HasEnded || Events.Any(e => IdOf(e) == id), cancellationToken, what: $"event {id}");
        Assert.True(Events.Any(e => IdOf(e) == id), $"The worker ended without event {id}: {Log}");
    }

    /// <summary>Everything it has written to stderr so far.</summary>
    public string Log => _process?.Error ?? _invocation!.Error;

    /// <summary>Where it listens.</summary>
    public Uri Address => _http.BaseAddress!;

    public bool HasLogged(int id) => Events.Any(e => IdOf(e) == id);

    public async Task<HttpStatusCode> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync(path, cancellationToken);
        return response.StatusCode;
    }

    /// <summary>Sends a request; redirects are not followed.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        _http.SendAsync(request, cancellationToken);

    /// <summary>A client whose requests come from that address of this machine.</summary>
    public HttpClient ClientFrom(IPAddress address) =>
        new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                ConnectCallback = async (context, token) =>
                {
                    var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp)
                    {
                        NoDelay = true,
                    };
                    socket.Bind(new IPEndPoint(address, 0));
                    await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, token);
                    return new System.Net.Sockets.NetworkStream(socket, ownsSocket: true);
                },
            }
        )
        {
            BaseAddress = Address,
        };

    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken) =>
        await GetAsync("/health/ready", cancellationToken) == HttpStatusCode.OK;

    /// <summary>Sends SIGTERM, or in this process cancels it, and waits for the end.</summary>
    public async Task<ProcessResult> StopAsync(CancellationToken cancellationToken)
    {
        if (_process is null)
            return await _invocation!.StopAsync();
        _process.SendSignal(ProcessSignal.Terminate);
        return await _process.WaitForExitAsync(cancellationToken).WaitAsync(TimeSpan.FromMinutes(2), cancellationToken);
    }

    /// <summary>Ends it as a crash would.</summary>
    public void Kill() => Process.SendSignal(ProcessSignal.Kill);

    /// <summary>Lets it stand still, as a machine that was suspended would.</summary>
    public void Suspend() => Process.SendSignal(ProcessSignal.Stop);

    public void Resume() => Process.SendSignal(ProcessSignal.Continue);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_process is not null)
            await _process.DisposeAsync();
        if (_invocation is not null)
            await _invocation.DisposeAsync();
    }

    private bool HasEnded => _process?.HasExited ?? _invocation!.HasEnded;

    private ChildProcess Process => _process ?? throw new InvalidOperationException("It runs in the test's own process.");

    private static async Task<RunningWorker> ListeningAsync(RunningWorker worker, CancellationToken cancellationToken)
    {
        await worker.LoggedAsync(6000, cancellationToken);
        worker._http.BaseAddress = new Uri(worker.Events.First(e => IdOf(e) == 6000).GetProperty("Urls").GetString()!);
        return worker;
    }

    private static int IdOf(JsonElement logged) => logged.TryGetProperty("@i", out var id) ? id.GetInt32() : 0;
}

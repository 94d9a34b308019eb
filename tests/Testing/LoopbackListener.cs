using System.Net;
using System.Net.Sockets;

namespace Archiver.Testing;

/// <summary>
/// Accepts connections on a free loopback port and serves each beside the others; the one accept loop of every stand-in server.
/// </summary>
public sealed class LoopbackListener : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private Task _serving = Task.CompletedTask;

    /// <summary>Listens from now on, so that <see cref="Port"/> is known; connections wait until <see cref="Serve"/>.</summary>
    public LoopbackListener() => _listener.Start();

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Uri Endpoint => new($"http://127.0.0.1:{Port}");

    /// <summary>Cancelled when the listener is disposed of.</summary>
    public CancellationToken Ended => _end.Token;

    /// <summary>Begins to accept; <paramref name="serve"/> owns its connection and handles its end.</summary>
    public void Serve(Func<TcpClient, Task> serve) => _serving = AcceptAsync(serve);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        // Accepting on a listener that is gone is an error of its own; with the token cancelled the loop ends by itself.
        await _serving;
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync(Func<TcpClient, Task> serve)
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(serve(await _listener.AcceptTcpClientAsync(_end.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }
}

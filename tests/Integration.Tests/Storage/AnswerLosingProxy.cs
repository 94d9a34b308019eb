using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Archiver.Integration.Tests.Storage;

/// <summary>Passes everything to a server and back, but can lose the answers to the next PUTs or DELETEs, which the server has then carried out.</summary>
internal sealed class AnswerLosingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Uri _server;
    private readonly Task _serving;
    private volatile string _method = "PUT";
    private int _toLose;
    private int _lost;

    public AnswerLosingProxy(Uri server)
    {
        _server = server;
        _listener.Start();
        _serving = ServeAsync();
    }

    public Uri Endpoint => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    public int Lost => _lost;

    public void LoseAnswersToPuts(int count) => LoseAnswersTo("PUT", count);

    public void LoseAnswersTo(string method, int count)
    {
        _method = method;
        Interlocked.Exchange(ref _toLose, count);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _serving;
        _end.Dispose();
    }

    private async Task ServeAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(ServeOneAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeOneAsync(TcpClient client)
    {
        using var down = client;
        using var up = new TcpClient();
        var loses = false;
        try
        {
            await up.ConnectAsync(_server.Host, _server.Port, _end.Token);
            var request = PumpAsync(down, up, chunk =>
            {
                // Requests do not overlap on a connection, so a chunk that begins with a method begins a request.
                if (chunk.StartsWith("HEAD "u8) || chunk.StartsWith("GET "u8) || chunk.StartsWith("POST "u8) || chunk.StartsWith("PUT "u8) || chunk.StartsWith("DELETE "u8))
                    loses = chunk.StartsWith(Encoding.ASCII.GetBytes($"{_method} "));
                return true;
            });
            var answer = PumpAsync(up, down, _ =>
            {
                if (!loses || Interlocked.Decrement(ref _toLose) < 0)
                    return true;
                Interlocked.Increment(ref _lost);
                return false;
            });
            await Task.WhenAny(request, answer);
            down.Close();
            up.Close();
            await Task.WhenAll(request, answer);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // One side closed, which closes the other.
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, Func<ReadOnlySpan<byte>, bool> pass)
    {
        var buffer = new byte[64 * 1024];
        while (await from.GetStream().ReadAsync(buffer, _end.Token) is > 0 and var count && pass(buffer.AsSpan(0, count)))
            await to.GetStream().WriteAsync(buffer.AsMemory(0, count), _end.Token);
    }
}

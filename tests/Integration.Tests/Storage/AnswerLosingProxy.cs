using System.Net.Sockets;
using System.Text;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Storage;

/// <summary>
/// Passes everything to a server and back, but can lose the answers to the next PUTs or DELETEs, which the server has then carried out.
/// </summary>
internal sealed class AnswerLosingProxy : IAsyncDisposable
{
    private readonly LoopbackListener _listener = new();
    private readonly Uri _server;
    private volatile string _method = "PUT";
    private int _toLose;
    private int _lost;

    public AnswerLosingProxy(Uri server)
    {
        _server = server;
        _listener.Serve(ServeOneAsync);
    }

    public Uri Endpoint => _listener.Endpoint;

    public int Lost => _lost;

    public void LoseAnswersToPuts(int count) => LoseAnswersTo("PUT", count);

    public void LoseAnswersTo(string method, int count)
    {
        _method = method;
        Interlocked.Exchange(ref _toLose, count);
    }

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeOneAsync(TcpClient client)
    {
        using var down = client;
        using var up = new TcpClient();
        var loses = false;
        try
        {
            await up.ConnectAsync(_server.Host, _server.Port, _listener.Ended);
            var request = PumpAsync(down, up, chunk =>
            {
                // Requests do not overlap on a connection, so a chunk that begins with a method begins a request.
                if (
                    chunk.StartsWith("HEAD "u8)
                    || chunk.StartsWith("GET "u8)
                    || chunk.StartsWith("POST "u8)
                    || chunk.StartsWith("PUT "u8)
                    || chunk.StartsWith("DELETE "u8)
                )
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
        while (await from.GetStream().ReadAsync(buffer, _listener.Ended) is > 0 and var count && pass(buffer.AsSpan(0, count)))
            await to.GetStream().WriteAsync(buffer.AsMemory(0, count), _listener.Ended);
    }
}

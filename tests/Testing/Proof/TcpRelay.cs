using System.Net.Sockets;

namespace Archiver.Testing.Proof;

/// <summary>
/// Passes connections on to a server, and can lose a message that holds a certain text, or the server's answer to it, with the connection
/// or without.
/// </summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private readonly LoopbackListener _listener = new();
    private readonly string _host;
    private readonly int _port;
    private byte[]? _text;
    private bool _cut;
    private bool _atOnce;
    private bool _before;
    private int _lost;

    public TcpRelay(string host, int port)
    {
        (_host, _port) = (host, port);
        _listener.Serve(ServeOneAsync);
    }

    /// <summary>Where it listens on 127.0.0.1.</summary>
    public int Port => _listener.Port;

    /// <summary>Messages and answers lost so far.</summary>
    public int Lost => _lost;

    /// <summary>
    /// The server gets the next message with this text; whoever sent it does not get the answer, and only with <paramref name="cut"/> an
    /// end of the connection.
    /// </summary>
    public void LoseAnswerTo(string text, bool cut = true) => (_cut, _text) = (cut, System.Text.Encoding.ASCII.GetBytes(text));

    /// <summary>
    /// The server gets the next message with this text, and the connection ends there: the server is busy, and does not notice.
    /// </summary>
    public void CutAfter(string text)
    {
        _atOnce = true;
        LoseAnswerTo(text);
    }

    /// <summary>The connection ends before the server gets the next message with this text.</summary>
    public void CutBefore(string text)
    {
        _before = true;
        LoseAnswerTo(text);
    }

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeOneAsync(TcpClient client)
    {
        using var down = client;
        using var up = new TcpClient();
        try
        {
            await up.ConnectAsync(_host, _port, _listener.Ended);
            var losing = false;
            var requests = PumpAsync(
                down,
                up,
                chunk =>
                {
                    if (
                        Volatile.Read(ref _text) is { } text
                        && chunk.IndexOf(text) >= 0
                        && Interlocked.CompareExchange(ref _text, null, text) == text
                    )
                    {
                        Volatile.Write(ref losing, true);
                        return !_before || Interlocked.Increment(ref _lost) == 0;
                    }
                    return true;
                },
                () => _atOnce && Volatile.Read(ref losing)
            );
            var answers = PumpAsync(up, down, _ => !Volatile.Read(ref losing) || Interlocked.Increment(ref _lost) == 0, () => false);
            await Task.WhenAny(requests, answers);
            down.Close();
            up.Close();
            await Task.WhenAll(requests, answers);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // One side closed, which closes the other.
        }
    }

    private async Task PumpAsync(TcpClient from, TcpClient to, Func<ReadOnlySpan<byte>, bool> pass, Func<bool> isOver)
    {
        var buffer = new byte[64 * 1024];
        while (await from.GetStream().ReadAsync(buffer, _listener.Ended) is > 0 and var count)
        {
            if (pass(buffer.AsSpan(0, count)))
                await to.GetStream().WriteAsync(buffer.AsMemory(0, count), _listener.Ended);
            else if (_cut)
                return;
            if (isOver())
                return;
        }
    }
}

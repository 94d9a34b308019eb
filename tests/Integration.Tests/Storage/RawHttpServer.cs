using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Archiver.Integration.Tests.Storage;

/// <summary>Answers each connection's first request with what the test wrote, byte by byte: for answers that a real server never gives on demand.</summary>
internal sealed class RawHttpServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Queue<(string Text, bool Close)> _answers;
    private readonly Task _serving;

    /// <param name="answers">One a request, in order, the last one for all further; Close false leaves the connection open and silent.</param>
    public RawHttpServer(params (string Text, bool Close)[] answers)
    {
        _answers = new Queue<(string, bool)>(answers);
        _listener.Start();
        _serving = ServeAsync();
    }

    public Uri Endpoint => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>First line and headers of each request.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>A complete answer.</summary>
    public static (string Text, bool Close) Answer(string status, string body, params string[] headers) =>
        ($"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n{string.Concat(headers.Select(h => h + "\r\n"))}\r\n{body}", true);

    /// <summary>An S3 error.</summary>
    public static (string Text, bool Close) Error(string status, string code) =>
        Answer(status, $"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>", "Content-Type: application/xml");

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        // Accepting on a listener that is gone is an error of its own; with the token cancelled the loop ends by itself.
        await _serving;
        _listener.Dispose();
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
        using var _ = client;
        try
        {
            var stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.Latin1);
            var head = new StringBuilder();
            while (await reader.ReadLineAsync(_end.Token) is { Length: > 0 } line)
                head.AppendLine(line);
            var length = head.ToString().Split('\n').FirstOrDefault(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
            var body = new char[length is null ? 0 : int.Parse(length.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture)];
            if (body.Length > 0)
                await reader.ReadBlockAsync(body, _end.Token);
            (string Text, bool Close) answer;
            lock (Requests)
            {
                Requests.Add(head.ToString());
                answer = _answers.Count > 1 ? _answers.Dequeue() : _answers.Peek();
            }
            await stream.WriteAsync(Encoding.Latin1.GetBytes(answer.Text), _end.Token);
            if (!answer.Close)
                await Task.Delay(Timeout.InfiniteTimeSpan, _end.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The test is over, or the client gave up first, which is what some tests are about.
        }
    }
}

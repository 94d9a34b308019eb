using System.Net.Sockets;
using System.Text;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Storage;

/// <summary>
/// Answers each connection's first request with what the test wrote, byte by byte: for answers that a real server never gives on demand.
/// </summary>
internal sealed class RawHttpServer : IAsyncDisposable
{
    private readonly LoopbackListener _listener = new();
    private readonly Func<string, (string Text, bool Close)> _answer;

    /// <param name="answers">
    /// One a request, in order, the last one for all further; Close false leaves the connection open and silent.
    /// </param>
    public RawHttpServer(params (string Text, bool Close)[] answers)
        : this(InOrder(answers)) { }

    /// <param name="answer">By first line and headers of a request.</param>
    public RawHttpServer(Func<string, (string Text, bool Close)> answer)
    {
        _answer = answer;
        _listener.Serve(ServeOneAsync);
    }

    public Uri Endpoint => _listener.Endpoint;

    /// <summary>First line and headers of each request.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>A complete answer.</summary>
    public static (string Text, bool Close) Answer(string status, string body, params string[] headers) =>
        (
            $"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\nConnection: "
                + $"close\r\n{string.Concat(headers.Select(h => h + "\r\n"))}\r\n{body}",
            true
        );

    /// <summary>An S3 error.</summary>
    public static (string Text, bool Close) Error(string status, string code) =>
        Answer(status, $"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>", "Content-Type: application/xml");

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private static Func<string, (string Text, bool Close)> InOrder((string Text, bool Close)[] answers)
    {
        var left = new Queue<(string, bool)>(answers);
        return _ => left.Count > 1 ? left.Dequeue() : left.Peek();
    }

    private async Task ServeOneAsync(TcpClient client)
    {
        using var _ = client;
        try
        {
            var stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.Latin1);
            var head = new StringBuilder();
            while (await reader.ReadLineAsync(_listener.Ended) is { Length: > 0 } line)
                head.AppendLine(line);
            var length = head.ToString()
                .Split('\n')
                .FirstOrDefault(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
            var body = new char[length is null ? 0 : int.Parse(length.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture)];
            if (body.Length > 0)
                await reader.ReadBlockAsync(body, _listener.Ended);
            (string Text, bool Close) answer;
            lock (Requests)
            {
                Requests.Add(head.ToString());
                answer = _answer(head.ToString());
            }
            await stream.WriteAsync(Encoding.Latin1.GetBytes(answer.Text), _listener.Ended);
            if (!answer.Close)
                await Task.Delay(Timeout.InfiniteTimeSpan, _listener.Ended);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The test is over, or the client gave up first, which is what some tests are about.
        }
    }
}

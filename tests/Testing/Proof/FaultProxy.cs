using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Archiver.Testing.Proof;

/// <summary>Stands between the worker and the store, on loopback, and does to each request what the test's rule says.</summary>
/// <param name="server">The store.</param>
/// <param name="rule">The fault for a request, by its method and path.</param>
public sealed partial class FaultProxy : IAsyncDisposable
{
    private static readonly TimeSpan Late = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan Piece = TimeSpan.FromMilliseconds(20);

    private readonly LoopbackListener _listener = new();
    private readonly Uri _server;
    private readonly Func<string, string, StoreFault> _rule;

    public FaultProxy(Uri server, Func<string, string, StoreFault> rule)
    {
        (_server, _rule) = (server, rule);
        _listener.Serve(ServeOneAsync);
    }

    /// <summary>Where the worker finds it.</summary>
    public Uri Endpoint => _listener.Endpoint;

    /// <summary>Longest body of a request that it lets through, as a proxy before a store may have it.</summary>
    public int LongestBody { get; set; } = int.MaxValue;

    /// <summary>Every request so far: method, path, and what was done to it.</summary>
    public ConcurrentQueue<(string Method, string Path, StoreFault Fault)> Requests { get; } = new();

    /// <summary>How many requests met a fault.</summary>
    public int Faults => Requests.Count(r => r.Fault != StoreFault.None);

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task ServeOneAsync(TcpClient client)
    {
        using var down = client;
        using var up = new TcpClient();
        try
        {
            await up.ConnectAsync(_server.Host, _server.Port, _listener.Ended);
            var (requests, answers) = (new HttpMessages(down.GetStream()), new HttpMessages(up.GetStream()));
            while (await requests.ReadAsync(bodyless: false, _listener.Ended) is { } request)
            {
                var line = request.FirstLine.Split(' ');
                var fault = request.Bytes.Length - request.BodyStart > LongestBody ? StoreFault.TooLarge : _rule(line[0], line[1]);
                Requests.Enqueue((line[0], line[1], fault));
                if (!await AnswerAsync(down, up, answers, request, line[0], fault))
                    return;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // One side closed, which closes the other.
        }
    }

    /// <summary>False when the connection is over.</summary>
    private async Task<bool> AnswerAsync(
        TcpClient down,
        TcpClient up,
        HttpMessages answers,
        HttpMessage request,
        string method,
        StoreFault fault
    )
    {
        switch (fault)
        {
            case StoreFault.InternalError:
                return await RefuseAsync(down, "500 Internal Server Error", "InternalError");
            case StoreFault.SlowDown:
                return await RefuseAsync(down, "503 Slow Down", "SlowDown");
            case StoreFault.AccessDenied:
                return await RefuseAsync(down, "403 Forbidden", "AccessDenied");
            case StoreFault.NotImplemented:
                return await RefuseAsync(down, "501 Not Implemented", "NotImplemented");
            case StoreFault.TooLarge:
                return await AnswerAsync(down, "413 Request Entity Too Large", "<html><body><h1>413</h1></body></html>", "text/html");
            case StoreFault.PartlyRemoved:
                return await AnswerAsync(down, "200 OK", PartlyRemoved(Encoding.UTF8.GetString(request.Bytes.AsSpan(request.BodyStart))));
            case StoreFault.HtmlPage:
                return await AnswerAsync(down, "200 OK", "<html><body><p>Sign in</p></body></html>");
            case StoreFault.NoBody:
                return await AnswerAsync(down, "200 OK", "");
            case StoreFault.OtherBucket:
                return await AnswerAsync(down, "200 OK", EmptyListing(new Uri(_server, request.FirstLine.Split(' ')[1]), "other-bucket"));
            case StoreFault.EmptyListing:
                return await AnswerAsync(down, "200 OK", EmptyListing(new Uri(_server, request.FirstLine.Split(' ')[1]), null));
            case StoreFault.ResetBefore:
                return Reset(down);
            case StoreFault.Silence:
                await Task.Delay(Timeout.InfiniteTimeSpan, _listener.Ended);
                return false;
            case StoreFault.Latency:
                await Task.Delay(Late, _listener.Ended);
                break;
            default:
                break;
        }
        await up.GetStream().WriteAsync(request.Bytes, _listener.Ended);
        var answer = await answers.ReadAsync(bodyless: method == "HEAD", _listener.Ended)
            ?? throw new IOException("The store closed the connection.");
        var half = answer.BodyStart + ((answer.Bytes.Length - answer.BodyStart) / 2);
        switch (fault)
        {
            case StoreFault.AnswerLost:
                return Reset(down);
            case StoreFault.ResetInBody:
                await down.GetStream().WriteAsync(answer.Bytes.AsMemory(0, half), _listener.Ended);
                return Reset(down);
            case StoreFault.Truncated:
                await down.GetStream().WriteAsync(answer.Bytes.AsMemory(0, half), _listener.Ended);
                return false;
            case StoreFault.WrongByte when answer.Bytes.Length > answer.BodyStart:
                answer.Bytes[half] ^= 1;
                break;
            case StoreFault.Trickle:
                return await TrickleAsync(down, answer);
            default:
                break;
        }
        await down.GetStream().WriteAsync(answer.Bytes, _listener.Ended);
        return true;
    }

    private async Task<bool> TrickleAsync(TcpClient down, HttpMessage answer)
    {
        var size = Math.Max(1, answer.Bytes.Length / 10);
        for (var at = 0; at < answer.Bytes.Length; at += size)
        {
            await down.GetStream().WriteAsync(answer.Bytes.AsMemory(at, Math.Min(size, answer.Bytes.Length - at)), _listener.Ended);
            await Task.Delay(Piece, _listener.Ended);
        }
        return true;
    }

    private Task<bool> RefuseAsync(TcpClient down, string status, string code) =>
        AnswerAsync(down, status, $"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>by the test</Message></Error>");

    private static string EmptyListing(Uri request, string? bucket)
    {
        var query = System.Web.HttpUtility.ParseQueryString(request.Query);
        var (root, name) = request.Query.Contains("uploads", StringComparison.Ordinal)
            ? ("ListMultipartUploadsResult", "Bucket")
            : (request.Query.Contains("versions", StringComparison.Ordinal) ? "ListVersionsResult" : "ListBucketResult", "Name");
        return $"<?xml version=\"1.0\"?><{root} "
            + $"xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><{name}>{bucket ?? request.Segments[1].Trim('/')}</{name}>"
            + $"<Prefix>{query["prefix"]}</Prefix><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></{root}>";
    }

    private static string PartlyRemoved(string body)
    {
        var keys = Key().Matches(body).Select(m => m.Groups[1].Value).ToList();
        var errors = keys.Skip(1).Select(k => $"<Error><Key>{k}</Key><Code>InternalError</Code><Message>by the test</Message></Error>");
        return "<?xml version=\"1.0\"?><DeleteResult "
            + $"xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Deleted><Key>{keys[0]}</Key></Deleted>{string.Concat(errors)}</DeleteResult>";
    }

    [GeneratedRegex("<Key>([^<]*)</Key>")]
    private static partial Regex Key();

    private async Task<bool> AnswerAsync(TcpClient down, string status, string body, string type = "application/xml")
    {
        await down.GetStream()
            .WriteAsync(
                Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\n\r\n{body}"),
                _listener.Ended
            );
        return true;
    }

    private static bool Reset(TcpClient down)
    {
        down.LingerState = new LingerOption(true, 0);
        down.Close();
        return false;
    }
}

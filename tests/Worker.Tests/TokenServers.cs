using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using System.Web;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests;

/// <summary>
/// What hands out credentials and what takes them: a stand-in for AWS STS that answers with the S3 server's keys and a session token, and a
/// door before that server that lets no request in without this token.
/// </summary>
internal sealed class TokenServers : IAsyncDisposable
{
    /// <summary>A token that must never reach a log.</summary>
    public const string SessionToken = "session-token-of-the-stand-in";

    private readonly LoopbackListener _sts = new(),
        _door = new();
    private readonly S3Address _server;
    private int _admitted;

    public TokenServers(S3Address server)
    {
        _server = server;
        _sts.Serve(client => ServeAsync(client, AnswerAsync));
        _door.Serve(client => ServeAsync(client, AdmitAsync));
    }

    /// <summary>Where STS is.</summary>
    public Uri Sts => _sts.Endpoint;

    /// <summary>Where the store is.</summary>
    public Uri Door => _door.Endpoint;

    /// <summary>The error code with which STS refuses; null when it does not.</summary>
    public string? Refusal { get; set; }

    /// <summary>How long the credentials hold.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>What STS was asked for, as its forms.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>Requests that came through the door.</summary>
    public int Admitted => _admitted;

    public async ValueTask DisposeAsync()
    {
        await _sts.DisposeAsync();
        await _door.DisposeAsync();
    }

    private async Task AnswerAsync(TcpClient client, HttpMessages requests)
    {
        while (await requests.ReadAsync(bodyless: false, _sts.Ended) is { } request)
        {
            var form = HttpUtility.ParseQueryString(Encoding.UTF8.GetString(request.Bytes.AsSpan(request.BodyStart)));
            Asked.Enqueue(form.ToString()!);
            await (
                Refusal is { } code
                    ? WriteAsync(
                        client,
                        "403 Forbidden",
                        $"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>said by the "
                            + "stand-in</Message></Error></ErrorResponse>"
                    )
                    : WriteAsync(client, "200 OK", Credentials(form["Action"]!))
            );
        }
    }

    private string Credentials(string action) =>
        $"""
            <{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><Credentials>
            <AccessKeyId>{_server.AccessKey}</AccessKeyId><SecretAccessKey>{_server.SecretKey}</SecretAccessKey>
            <SessionToken>{SessionToken}</SessionToken><Expiration>{TimeProvider.System.GetUtcNow()
                + Lifetime:yyyy-MM-ddTHH:mm:ssZ}</Expiration>
            </Credentials></{action}Result></{action}Response>
            """;

    private async Task AdmitAsync(TcpClient client, HttpMessages requests)
    {
        using var server = new TcpClient();
        await server.ConnectAsync(_server.Endpoint.Host, _server.Endpoint.Port, _door.Ended);
        var answers = new HttpMessages(server.GetStream());
        while (await requests.ReadAsync(bodyless: false, _door.Ended) is { } request)
        {
            var head = Encoding.Latin1.GetString(request.Bytes.AsSpan(0, request.BodyStart));
            if (!head.Contains($"x-amz-security-token: {SessionToken}\r\n", StringComparison.OrdinalIgnoreCase))
            {
                await WriteAsync(client, "403 Forbidden", "<Error><Code>AccessDenied</Code><Message>no token</Message></Error>");
                continue;
            }
            Interlocked.Increment(ref _admitted);
            await server.GetStream().WriteAsync(request.Bytes, _door.Ended);
            if (await answers.ReadAsync(request.FirstLine.StartsWith("HEAD ", StringComparison.Ordinal), _door.Ended) is not { } answer)
                return;
            await client.GetStream().WriteAsync(answer.Bytes, _door.Ended);
        }
    }

    private Task WriteAsync(TcpClient client, string status, string body) =>
        client
            .GetStream()
            .WriteAsync(
                Encoding.UTF8.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {body.Length}\r\n\r\n{body}"),
                _door.Ended
            )
            .AsTask();

    private static async Task ServeAsync(TcpClient client, Func<TcpClient, HttpMessages, Task> serve)
    {
        using var connection = client;
        try
        {
            await serve(client, new(client.GetStream()));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
        {
            // One side closed, which ends the connection.
        }
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Archiver.Worker.Tests.Http;

/// <summary>
/// 10,000 requests that nobody should send, with the key and without: each gets a 4xx, none a stack, and the worker lives on.
/// </summary>
public sealed class BadRequestTests(HttpFixture fixture) : IClassFixture<HttpFixture>
{
    private const int Requests = 10_000;

    private static readonly string[] Paths =
    [
        "/archives/{}",
        "/archives/{}/restore",
        "/archives?user=ok&limit={}",
        "/archives?after={}",
        "/archives?from={}",
        "/archives?source={}",
        "/runs?limit={}",
        "/runs?source={}",
        "/transcript?id={}",
        "/restore?id={}",
        "/assets/{}",
        "/actions/{}",
        "/{}",
        "/health/{}",
        "/metrics/{}",
    ];

    private static readonly string[] Values =
    [
        "../",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/",
        "%00",
        "a%00b",
        "'",
        "%22",
        "';DROP%20TABLE%20x;--",
        "%27%20OR%201=1",
        "%ff%fe",
        "%c0%ae",
        "%",
        "%zz",
        "-1",
        "0x10",
        "1e9",
        "99999999999999999999",
        "%0d%0aSet-Cookie:x=1",
        "%3Cscript%3E",
        "%E2%80%AE",
        "%F0%9F%92%A9",
        "null",
        "NaN",
        "{0}",
        "$%7Bjndi%7D",
        "a/b/c",
        "%2f",
        "%5c..%5c",
        "+",
        "%09",
        "0b9c6a52-4a3c-4d0b-9a52-0f6f3d1c9a1",
        new('x', 600),
        new('%', 50),
        string.Concat(Enumerable.Repeat("%C3%A4", 300)),
    ];

    private static readonly string[] Methods =
    [
        "GET",
        "POST",
        "PUT",
        "DELETE",
        "PATCH",
        "OPTIONS",
        "HEAD",
        "TRACE",
        "PROPFIND",
        "get",
        "G\u0001T",
    ];

    private static readonly string[] Bodies =
    [
        "",
        "{",
        "[]",
        "null",
        "{\"policy\":null}",
        "{\"policy\":1}",
        "{\"generation\":-1}",
        "{\"on_conflict\":\"explode\"}",
        "{\"source\":\"\\u0000\"}",
        "{\"policy\":\"\\ud800\"}",
        "policy=main%2Fnone",
        "policy=%00",
        "source=main&id=%00&generation=x",
        new('[', 2000),
        "\0\0\0",
    ];

    private static readonly string[] Extra =
    [
        "",
        "Content-Type: application/json\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: multipart/form-data; boundary=x\r\n",
        "Accept-Encoding: gzip;q=x, *;q=0\r\n",
        "If-None-Match: x\r\n",
        "Range: bytes=5-1\r\n",
        "Origin: https://evil.example\r\n",
        "Sec-Fetch-Site: same-origin\r\n",
        "X-Odd: \u0001\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Cookie: a=b\r\n",
        "Expect: 1000\r\n",
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bad_requests_get_4xx_and_never_a_stack()
    {
        var before = await fixture.Archiver.RowsAsync();
        var statuses = new System.Collections.Concurrent.ConcurrentDictionary<int, int>();
        await Parallel.ForAsync(
            0,
            Requests,
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Token },
            async (i, token) =>
            {
                var (request, answer) = await SendAsync(i, token);
                var status = answer.StartsWith("HTTP/1.", StringComparison.Ordinal) ? int.Parse(answer.AsSpan(9, 3)) : 0;
                Assert.True(status is >= 400 and < 500, $"Request {i} got {status}:\n{request}\n---\n{answer}");
                Assert.DoesNotContain("   at ", answer, StringComparison.Ordinal);
                Assert.DoesNotContain("Exception", answer, StringComparison.Ordinal);
                Assert.DoesNotContain("Npgsql", answer, StringComparison.Ordinal);
                Assert.NotEqual(429, status);
                statuses.AddOrUpdate(status, 1, (_, n) => n + 1);
            }
        );

        Assert.Equal(Requests, statuses.Values.Sum());
        Assert.True(statuses.Count >= 6, $"The requests are not bad in enough ways: {string.Join(", ", statuses)}");
        Assert.False(fixture.Worker.HasLogged(7001), "An unexpected failure was logged.");
        Assert.Equal(HttpStatusCode.OK, await fixture.Worker.GetAsync("/health/live", Token));
        Assert.Equal(before, await fixture.Archiver.RowsAsync());
        Assert.DoesNotContain(HttpFixture.Key, fixture.Worker.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("uri", HttpStatusCode.RequestUriTooLong)]
    [InlineData("header", HttpStatusCode.RequestHeaderFieldsTooLarge)]
    [InlineData("body", HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("form", HttpStatusCode.RequestEntityTooLarge)]
    public async Task A_megabyte_of_anything_is_too_much(string where, HttpStatusCode expected)
    {
        var megabyte = new string('x', 1 << 20);
        var key = $"Authorization: Bearer {HttpFixture.Key}\r\n";
        var request = where switch
        {
            "uri" => $"GET /archives/{megabyte} HTTP/1.1\r\nHost: x\r\n{key}\r\n",
            "header" => $"GET /archives HTTP/1.1\r\nHost: x\r\n{key}X-Large: {megabyte}\r\n\r\n",
            "body" => $"POST /runs HTTP/1.1\r\nHost: x\r\n{key}Content-Type: application/json\r\nContent-Length: "
                + $"{megabyte.Length}\r\n\r\n{megabyte}",
            _ => $"POST /actions/pause HTTP/1.1\r\nHost: x\r\n{key}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
                + $"{megabyte.Length}\r\n\r\n{megabyte}",
        };

        Assert.StartsWith($"HTTP/1.1 {(int)expected} ", await SendRawAsync(request, IPAddress.Loopback, Token), StringComparison.Ordinal);
    }

    // Always the same requests: a failure can be looked at again. The numbers are primes, so that the lists meet in every combination.
    private async Task<(string Request, string Answer)> SendAsync(int i, CancellationToken token)
    {
        var method = Methods[i % 3 == 0 ? 0 : i / 3 % Methods.Length];
        var value = Values[i * 7 % Values.Length];
        var path = Paths[i * 11 % Paths.Length].Replace("{}", value, StringComparison.Ordinal);
        var key = (i % 4) switch
        {
            0 => "",
            1 => "Authorization: Basic AAAA\r\n",
            _ => $"Authorization: Bearer {HttpFixture.Key}\r\n",
        };
        var body = method is "GET" or "HEAD" ? "" : Bodies[i * 13 % Bodies.Length];
        var request =
            $"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: "
            + $"close\r\n{key}{Extra[i * 5 % Extra.Length]}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";
        // Each from an address of its own: one address is soon refused for its wrong keys, whatever else it asks.
        return (request, await SendRawAsync(request, new IPAddress([127, 1, (byte)(i >> 8), (byte)i]), token));
    }

    private async Task<string> SendRawAsync(string request, IPAddress from, CancellationToken token)
    {
        using var client = new TcpClient(new IPEndPoint(from, 0)) { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, fixture.Worker.Address.Port, token);
        var stream = client.GetStream();
        // Reading while writing: a server that has had enough answers and closes before the last byte is sent.
        var sending = SendBytesAsync(stream, Encoding.Latin1.GetBytes(request), token);
        var answer = new StringBuilder();
        var buffer = new byte[8192];
        try
        {
            while (await stream.ReadAsync(buffer, token) is var read and > 0)
            {
                answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
                if (
                    answer.ToString().Contains("\r\n\r\n", StringComparison.Ordinal)
                    && request.Contains("Content-Length: 1048576", StringComparison.Ordinal)
                )
                    break;
            }
        }
        catch (IOException)
        {
            // Reset after the answer; what was read of it is what counts.
        }
        await sending;
        return answer.ToString();
    }

    private static async Task SendBytesAsync(NetworkStream stream, byte[] bytes, CancellationToken token)
    {
        try
        {
            await stream.WriteAsync(bytes, token);
        }
        catch (IOException)
        {
            // The server has answered and closed.
        }
    }
}

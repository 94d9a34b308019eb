using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using static Archiver.Worker.Tests.Http.BadParts;

namespace Archiver.Worker.Tests.Http;

/// <summary>
/// 10,000 requests that nobody should send, with the key and without: each gets a 4xx, none a stack, and the worker lives on.
/// </summary>
public sealed class BadRequestTests(HttpFixture fixture) : IClassFixture<HttpFixture>
{
    private const int Requests = 10_000;

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

    /// <summary>A proxy is asked that way. Routing takes the path out of it; the session's id would be read from elsewhere.</summary>
    [Theory]
    [InlineData("GET http://{1}/archives/{0}")]
    [InlineData("GET https://{1}/chat/{0}/archives/{0}")]
    [InlineData("GET http://{1}/health/live")]
    [InlineData("POST http://{1}/archives/{0}/restore")]
    public async Task A_target_that_names_a_host_is_refused_whatever_its_path(string line)
    {
        var (named, other) = (fixture.Archived[0], fixture.Archived[1]);
        var before = await fixture.Archiver.RowsAsync();

        var answer = await SendRawAsync(
            $"{string.Format(CultureInfo.InvariantCulture, line, named, other)} HTTP/1.1\r\nHost: {other}\r\nConnection: close\r\n"
                + $"Authorization: Bearer {HttpFixture.Key}\r\nContent-Length: 0\r\n\r\n",
            IPAddress.Loopback,
            Token
        );

        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("must be a path", answer, StringComparison.Ordinal);
        Assert.Equal(before, await fixture.Archiver.RowsAsync());
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

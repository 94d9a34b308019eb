using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Archiver.Bench;

/// <summary>
/// The leanest S3 client there is, sending what the archiver sends: a PUT that refuses an existing key, with the body's hashes and five
/// pairs of metadata, a GET of a range, both signed with version 4 (the only one that AWS takes). What it reaches is the server's own limit
/// for these requests, and not a library's.
/// </summary>
/// <remarks>Signature: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html</remarks>
internal sealed class LeanS3(BenchEnvironment environment) : IDisposable
{
    private const string Region = "us-east-1";
    private const string EmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private static readonly string[] MetadataNames =
    [
        "archiver-ledger",
        "archiver-system",
        "archiver-source",
        "archiver-run",
        "archiver-attempt",
    ];

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false })
    {
        BaseAddress = environment.S3,
    };

    public async Task PutAsync(string key, byte[] body, CancellationToken cancellationToken)
    {
        SortedDictionary<string, string> headers = new(StringComparer.Ordinal)
        {
            ["content-type"] = "application/gzip",
            ["if-none-match"] = "*",
        };
#pragma warning disable CA5351 // Content-MD5 is S3's transfer check, not a protection against forgery.
        headers["content-md5"] = Convert.ToBase64String(MD5.HashData(body));
#pragma warning restore CA5351
        foreach (var name in MetadataNames)
            headers[$"x-amz-meta-{name}"] = "0123456789abcdef0123456789abcdef";
        using var content = new ByteArrayContent(body);
        using var response = await SendAsync(
            HttpMethod.Put,
            key,
            headers,
            Convert.ToHexStringLower(SHA256.HashData(body)),
            content,
            cancellationToken
        );
    }

    public async Task<byte[]> GetAsync(string key, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(
            HttpMethod.Get,
            key,
            new(StringComparer.Ordinal) { ["range"] = "bytes=0-" },
            EmptySha256,
            null,
            cancellationToken
        );
        return await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string key,
        SortedDictionary<string, string> headers,
        string sha256,
        HttpContent? content,
        CancellationToken cancellationToken
    )
    {
        var path = $"/{environment.Bucket}/{key}";
        using var request = new HttpRequestMessage(method, path) { Content = content };
        var time = TimeProvider.System.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        headers["host"] = environment.S3.Authority;
        headers["x-amz-content-sha256"] = sha256;
        headers["x-amz-date"] = time;
        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
                content!.Headers.TryAddWithoutValidation(name, value);
        }
        request.Headers.Authorization = new AuthenticationHeaderValue("AWS4-HMAC-SHA256", Sign(method, path, headers, sha256, time));
        var response = await _http.SendAsync(request, cancellationToken);
        return response.EnsureSuccessStatusCode();
    }

    private string Sign(HttpMethod method, string path, SortedDictionary<string, string> headers, string sha256, string time)
    {
        var names = string.Join(';', headers.Keys);
        var canonical = $"{method}\n{path}\n\n{string.Concat(headers.Select(h => $"{h.Key}:{h.Value}\n"))}\n{names}\n{sha256}";
        var scope = $"{time[..8]}/{Region}/s3/aws4_request";
        var key = scope
            .Split('/')
            .Aggregate(Encoding.UTF8.GetBytes("AWS4" + environment.SecretKey), (k, part) =>
                HMACSHA256.HashData(k, Encoding.UTF8.GetBytes(part))
            );
        var text = $"AWS4-HMAC-SHA256\n{time}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
        return $"Credential={environment.AccessKey}/{scope},SignedHeaders={names},Signature={signature}";
    }
}

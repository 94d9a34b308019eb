using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Archiver.Bench;

/// <summary>
/// The leanest S3 client there is: one HTTP request and one short signature (version 2) a call, so that what it reaches is the server's own
/// limit and not a library's.
/// </summary>
internal sealed class LeanS3(BenchEnvironment environment) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = environment.S3 };
    private readonly byte[] _secret = Encoding.UTF8.GetBytes(environment.SecretKey);

    public async Task PutAsync(string key, byte[] body, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Put, key);
        request.Content = new ByteArrayContent(body);
        using var response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
    }

    public async Task<byte[]> GetAsync(string key, CancellationToken cancellationToken)
    {
        using var request = Request(HttpMethod.Get, key);
        using var response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Request(HttpMethod method, string key)
    {
        var path = $"/{environment.Bucket}/{key}";
        var date = TimeProvider.System.GetUtcNow().ToString("R", CultureInfo.InvariantCulture);
        var request = new HttpRequestMessage(method, path);
        request.Headers.TryAddWithoutValidation("Date", date);
#pragma warning disable CA5350 // Signature version 2 is HMAC-SHA1; this client exists to cost as little as it can.
        var signature = HMACSHA1.HashData(_secret, Encoding.UTF8.GetBytes($"{method}\n\n\n{date}\n{path}"));
#pragma warning restore CA5350
        request.Headers.Authorization = new AuthenticationHeaderValue("AWS", $"{environment.AccessKey}:{Convert.ToBase64String(signature)}");
        return request;
    }
}

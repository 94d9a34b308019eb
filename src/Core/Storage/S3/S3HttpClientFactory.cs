using Amazon.Runtime;

namespace Archiver.Core.Storage.S3;

/// <summary>
/// The one <see cref="HttpClient"/> of a store. The SDK's timeouts do nothing with a client of our own, so they are set here;
/// the SDK's own client is not used because it sends <c>Expect: 100-continue</c> (see <see cref="S3HttpHandler"/>).
/// </summary>
internal sealed class S3HttpClientFactory : HttpClientFactory, IDisposable
{
    private static readonly TimeSpan LongestConnect = TimeSpan.FromSeconds(5);

    // A pooled connection outlives a DNS change; a store that moved must be found again without a restart.
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    private readonly HttpClient _client;

    public S3HttpClientFactory(string bucket, TimeSpan timeout, TimeProvider time, Action<Uri>? sent = null)
    {
        var sockets = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = System.Net.DecompressionMethods.None,
            ConnectTimeout = timeout < LongestConnect ? timeout : LongestConnect,
            PooledConnectionLifetime = ConnectionLifetime,
        };
        _client = new HttpClient(new S3HttpHandler(sockets, bucket, timeout, time, sent)) { Timeout = timeout };
    }

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => _client;

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public void Dispose() => _client.Dispose();
}

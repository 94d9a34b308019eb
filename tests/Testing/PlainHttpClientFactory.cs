using Amazon.Runtime;

namespace Archiver.Testing;

/// <summary>HTTP for the S3 client without <c>Expect: 100-continue</c>.</summary>
/// <remarks>A gateway that refuses such a request leaves its body on the connection, where the next request trips over it.</remarks>
internal sealed class PlainHttpClientFactory : HttpClientFactory, IDisposable
{
    private readonly HttpClient client = new(new WithoutExpect());

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => client;

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public void Dispose() => client.Dispose();

    private sealed class WithoutExpect() : DelegatingHandler(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.ExpectContinue = false;
            return base.SendAsync(request, cancellationToken);
        }
    }
}

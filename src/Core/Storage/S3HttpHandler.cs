namespace Archiver.Core.Storage;

/// <summary>
/// Two repairs below the SDK.
/// <para>No <c>Expect: 100-continue</c>: when Ceph refuses a put before its body, .NET sends a body of up to 1,024 bytes all the
/// same, and the gateway takes it for the next request: unrelated calls on that connection then fail.</para>
/// <para>Every body is read under a time limit per read: <see cref="HttpClient.Timeout"/> ends with the headers, so a server that
/// stops in the middle of an object, a listing or an error document would hold the run for ever.</para>
/// </summary>
internal sealed class S3HttpHandler(HttpMessageHandler inner, TimeSpan readTimeout, TimeProvider time) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.ExpectContinue = false;
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        var guarded = new StreamContent(new StallGuardStream(body, readTimeout, time));
        foreach (var header in response.Content.Headers)
            guarded.Headers.TryAddWithoutValidation(header.Key, header.Value);
        response.Content = guarded;
        return response;
    }
}

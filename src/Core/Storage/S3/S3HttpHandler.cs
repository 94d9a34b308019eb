using System.Net.Http.Headers;

namespace Archiver.Core.Storage.S3;

/// <summary>
/// Repairs below the SDK.
/// <para>No <c>Expect: 100-continue</c>: when Ceph refuses a put before its body, .NET sends a body of up to 1,024 bytes all the
/// same, and the gateway takes it for the next request: unrelated calls on that connection then fail.</para>
/// <para>Every body is read under a time limit per read: <see cref="HttpClient.Timeout"/> ends with the headers, so a server that
/// stops in the middle of an object, a listing or an error document would hold the run for ever.</para>
/// <para>Only objects are streamed. The SDK parses XML with blocking reads, so a listing or an error is fetched here first: a pool of
/// threads that all wait for error documents has none left to receive them, and every request would end by timeout.</para>
/// <para>A listing is looked at before the SDK reads it (<see cref="S3AnswerCheck"/>).</para>
/// </summary>
internal sealed class S3HttpHandler(
    HttpMessageHandler inner,
    string bucket,
    TimeSpan readTimeout,
    TimeProvider time,
    Action<Uri>? sent = null
) : DelegatingHandler(inner)
{
    private const long LargestDocument = 64L << 20;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.ExpectContinue = false;
        sent?.Invoke(request.RequestUri!);
        var response = await base.SendAsync(request, cancellationToken);
        var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var guarded = new StreamContent(new StallGuardStream(body, readTimeout, time));
        foreach (var header in response.Content.Headers)
            guarded.Headers.TryAddWithoutValidation(header.Key, header.Value);
        response.Content = guarded;
        if (response.IsSuccessStatusCode && IsObject(request))
            RequireLength(guarded.Headers);
        else if (request.Method != HttpMethod.Head)
        {
            await guarded.LoadIntoBufferAsync(LargestDocument, cancellationToken);
            if (response.IsSuccessStatusCode)
                S3AnswerCheck.Require(request, await guarded.ReadAsByteArrayAsync(cancellationToken), bucket);
        }
        return response;
    }

    // S3Reader sends a range with every GET of an object.
    private static bool IsObject(HttpRequestMessage request) => request.Method == HttpMethod.Get && request.Headers.Range is not null;

    // The SDK takes a missing length for zero, and an object would read as empty.
    private static void RequireLength(HttpContentHeaders headers)
    {
        if (headers.ContentLength is null && headers.ContentRange?.HasRange != true)
            throw new IOException("The server announced no length for an object.");
    }
}

using System.Collections.Concurrent;
using Amazon.Runtime.Endpoints;
using Amazon.S3.Endpoints;

namespace Archiver.Core.Storage.S3;

/// <summary>
/// Resolves each kind of request's endpoint once. The SDK walks its rules, and parses what they give, twice a request: a twelfth of what
/// the worker computes in layout <c>Session</c>. Of a client's parameters only the bucket, the region (after a redirect) and the kind of
/// operation ever differ; the object's key is one of them too, but no rule reads it.
/// </summary>
internal sealed class S3EndpointCache(IEndpointProvider inner) : IEndpointProvider
{
    private readonly ConcurrentDictionary<Kind, Endpoint> _known = new();

    public Endpoint ResolveEndpoint(EndpointParameters parameters)
    {
        if (parameters is not S3EndpointParameters s3)
            return inner.ResolveEndpoint(parameters);
        var kind = new Kind(
            s3.Bucket,
            s3.Region,
            s3.UseObjectLambdaEndpoint,
            s3.UseS3ExpressControlEndpoint,
            s3.DisableS3ExpressSessionAuth,
            s3.DisableAccessPoints
        );
        var known = _known.GetOrAdd(
            kind,
            static (_, asked) => asked.Inner.ResolveEndpoint(asked.Parameters),
            (Inner: inner, Parameters: parameters)
        );
        // A copy, since the SDK appends to the URL of a request without a key.
        return new Endpoint(known.URL) { Attributes = known.Attributes, Headers = known.Headers };
    }

    private readonly record struct Kind(
        string? Bucket,
        string? Region,
        bool? ObjectLambda,
        bool? ExpressControl,
        bool? NoExpressSession,
        bool? NoAccessPoints
    );
}

using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Archiver.Worker.Http;

/// <summary>Bounds of what one client, or all of them, can make the worker hold or do. Archiving comes first.</summary>
internal static class HttpLimits
{
    /// <summary>Requests that do anything, at once; health is not counted.</summary>
    private const int Concurrent = 16;

    private const int Waiting = 64;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    public static void Configure(KestrelServerOptions server)
    {
        server.AddServerHeader = false;
        server.Limits.MaxRequestBodySize = 64 << 10;
        server.Limits.MaxRequestLineSize = 8 << 10;
        server.Limits.MaxRequestHeadersTotalSize = 16 << 10;
        server.Limits.MaxRequestHeaderCount = 64;
        server.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        server.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(60);
        server.Limits.MaxConcurrentConnections = 200;
    }

    public static void AddHttpLimits(this IServiceCollection services)
    {
        services.AddRequestTimeouts(o =>
            o.DefaultPolicy = new() { Timeout = Patience, TimeoutStatusCode = StatusCodes.Status503ServiceUnavailable }
        );
        services.AddRateLimiter(limits =>
        {
            limits.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limits.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
                context.GetEndpoint()?.Metadata.GetMetadata<OpenToAll>() is null
                    ? RateLimitPartition.GetConcurrencyLimiter("work", _ => new() { PermitLimit = Concurrent, QueueLimit = Waiting })
                    : RateLimitPartition.GetNoLimiter("health")
            );
        });
    }
}

using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace Archiver.Worker.Tests.Http;

/// <summary>Takes what is sent over OTLP as http/protobuf, on loopback.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly WebApplication _app;

    private OtlpCollector(WebApplication app) => _app = app;

    /// <summary>Where it listens.</summary>
    public string Endpoint => _app.Urls.First();

    /// <summary>What came, by its path, <c>/v1/metrics</c> or <c>/v1/traces</c>.</summary>
    public ConcurrentQueue<(string Path, byte[] Body)> Received { get; } = new();

    /// <summary>The spans that came.</summary>
    public IReadOnlyList<OtlpSpan> Spans => [.. Received.Where(r => r.Path == "/v1/traces").SelectMany(r => OtlpSpan.Of(r.Body))];

    public static async Task<OtlpCollector> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var collector = new OtlpCollector(builder.Build());
        collector._app.Urls.Add("http://127.0.0.1:0");
        collector._app.MapPost("/v1/{signal}", async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            collector.Received.Enqueue((context.Request.Path, body.ToArray()));
            context.Response.ContentType = "application/x-protobuf";
        });
        await collector._app.StartAsync(cancellationToken);
        return collector;
    }

    /// <summary>Whether a text came.</summary>
    public bool Has(string path, string text) =>
        Received.Any(r => r.Path == path && Encoding.UTF8.GetString(r.Body).Contains(text, StringComparison.Ordinal));

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}

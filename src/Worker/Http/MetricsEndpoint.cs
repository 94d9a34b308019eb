using Archiver.Worker.Metrics;

namespace Archiver.Worker.Http;

/// <summary><c>/metrics</c> in the Prometheus text format.</summary>
internal static class MetricsEndpoint
{
    /// <summary>Scrapes come every 15 to 60 s; numbers of the database need not be younger.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(30);

    public static void MapMetrics(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/metrics", ReadAsync).WithMetadata(new OpenToMetricsKey());

    private static async Task<IResult> ReadAsync(StatusBoard board, PrometheusText text, CancellationToken cancellationToken)
    {
        await board.ReadAsync(MaxAge, cancellationToken);
        return Results.Text(text.Write(), PrometheusText.ContentType);
    }
}

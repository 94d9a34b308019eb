namespace Archiver.Worker.Http;

/// <summary>
/// <c>/health/live</c>: the process runs. <c>/health/ready</c>: it can work. Open to everybody, so they name sources and one word each, and
/// nothing else.
/// </summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", () => Results.Json(new { status = "live" })).WithMetadata(new OpenToAll());
        routes.MapGet("/health/ready", ReadyAsync).WithMetadata(new OpenToAll());
    }

    private static async Task<IResult> ReadyAsync(ReadinessProbe probe, CancellationToken cancellationToken)
    {
        var problems = await probe.ProblemsAsync(cancellationToken);
        return problems.Count == 0
            ? Results.Json(new { status = "ready" })
            : Results.Json(new { status = "not ready", sources = problems }, statusCode: StatusCodes.Status503ServiceUnavailable);
    }
}

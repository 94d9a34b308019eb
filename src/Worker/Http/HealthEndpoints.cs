namespace Archiver.Worker.Http;

/// <summary>
/// <c>/health/live</c>: the process runs. <c>/health/ready</c>: it can work. Open to everybody, so they name sources and one word each, and
/// nothing else.
/// </summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", () => JsonForm.Ok(new HealthBody("live"))).WithMetadata(new OpenToAll());
        routes.MapGet("/health/ready", ReadyAsync).WithMetadata(new OpenToAll());
    }

    private static async Task<IResult> ReadyAsync(ReadinessProbe probe, CancellationToken cancellationToken)
    {
        var problems = await probe.ProblemsAsync(cancellationToken);
        return problems.Count == 0
            ? JsonForm.Ok(new HealthBody("ready"))
            : JsonForm.Ok(new UnreadyBody("not ready", problems), StatusCodes.Status503ServiceUnavailable);
    }
}

/// <summary>That the process runs, or can work.</summary>
internal sealed record HealthBody(string Status);

/// <summary>That it cannot, and one word for each source that keeps it from that.</summary>
internal sealed record UnreadyBody(string Status, IReadOnlyDictionary<string, string> Sources);

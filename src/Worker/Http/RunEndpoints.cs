using Archiver.Core.Settings;
using Archiver.Core.Status;
using Archiver.Worker.Access;
using Archiver.Worker.Jobs;

namespace Archiver.Worker.Http;

/// <summary><c>/runs</c>: the history, and starting a policy now, through the same job as its schedule.</summary>
internal static class RunEndpoints
{
    private const int DefaultLimit = 50;

    private const int MostListed = 1000;

    public static void MapRuns(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/runs", ListAsync).WithQuery("source", "policy", "limit");
        routes.MapPost("/runs", StartAsync).WithQuery();
    }

    private static async Task<IResult> ListAsync(
        HttpRequest request,
        PolicyChoice choice,
        LedgerAccess ledger,
        CancellationToken cancellationToken
    )
    {
        var query = request.Query;
        var (policy, limit) = (query.Text("policy"), query.Count("limit", MostListed) ?? DefaultLimit);
        policy = policy is null ? null : Names.Canonical(policy);
        List<RecordedRun> runs = [];
        foreach (var source in choice.Sources(query.Text("source")))
            runs.AddRange(
                await ledger.ReadAsync(
                    source,
                    connection => RunReport.NewestAsync(connection, source.Name, policy, limit, cancellationToken),
                    cancellationToken
                )
            );
        return JsonForm.Ok(runs.OrderByDescending(r => r.StartedAt).Take(limit).ToList());
    }

    private static async Task<IResult> StartAsync(HttpRequest request, RunStarter starter, CancellationToken cancellationToken)
    {
        var body = await request.BodyAsync<RunBody>(cancellationToken);
        if (body?.Policy is null)
            return JsonForm.Error(StatusCodes.Status400BadRequest, "Say which policy: {\"policy\": \"main/idle\"}.");
        var started = await starter.StartAsync(body.Policy, cancellationToken);
        return started is null
            ? JsonForm.Error(StatusCodes.Status503ServiceUnavailable, "The worker still waits for the source's servers; see /health/ready.")
            : JsonForm.Ok(new StartedBody(started, "started"), StatusCodes.Status202Accepted);
    }
}

/// <summary>What <c>POST /runs</c> answers.</summary>
internal sealed record StartedBody(string Policy, string State);

using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Core.Settings;
using Archiver.Worker.Access;
using Archiver.Worker.Output;

namespace Archiver.Worker.Http;

/// <summary><c>/archives</c>: the list, a document, and its way back into the database.</summary>
internal static class ArchiveEndpoints
{
    private const int DefaultLimit = 100;

    private const int MostListed = 1000;

    public static void MapArchives(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/archives", ListAsync).WithQuery("source", "policy", "user", "id", "from", "to", "state", "limit", "after");
        routes.MapGet("/archives/{session_id}", DocumentAsync).DisableRequestTimeout().WithQuery("source", "generation");
        // By the name that an application of the schema ended-at has for it.
        routes.MapGet("/chat/archived/{session_id}", DocumentAsync).DisableRequestTimeout().WithQuery("source", "generation");
        routes.MapPost("/archives/{session_id}/restore", RestoreAsync).DisableRequestTimeout().WithQuery();
    }

    private static async Task<IResult> ListAsync(
        HttpRequest request,
        PolicyChoice choice,
        ArchiveList archives,
        SourceErrors errors,
        CancellationToken cancellationToken
    )
    {
        var query = request.Query;
        var limit = query.Count("limit", MostListed) ?? DefaultLimit;
        var after = query.Id("after");
        var sources = after is null ? choice.Sources(query.Text("source")) : [choice.OneSource(query.Text("source"))];
        List<ListedJson> found = [];
        foreach (var source in sources)
        {
            var filter = new ArchiveFilter(
                source.Name,
                query.Text("user"),
                query.Instant("from"),
                query.Instant("to"),
                query.Word("state", ArchiveStates.All),
                limit - found.Count,
                after,
                query.Text("id"),
                query.Text("policy") is { } policy ? Names.Canonical(policy) : null
            );
            if (filter.Limit > 0)
                found.AddRange(
                    (await errors.ExplainAsync(source, () => archives.ReadAsync(filter, cancellationToken))).Select(a =>
                        ListedJson.Of(source.Name, a)
                    )
                );
        }
        return JsonForm.Ok(found);
    }

    private static async Task<IResult> DocumentAsync(
        HttpContext context,
        ArchiveLookup lookup,
        ArchiveDownloader downloader,
        ReadAudit audit,
        CancellationToken cancellationToken
    )
    {
        var found = await lookup.FindAsync(
            context.Request.Query.Text("source"),
            context.Request.SessionId(),
            context.Request.Query.Count("generation", int.MaxValue),
            "?source=",
            cancellationToken
        );
        if (found is not var (_, archive))
            return JsonForm.Error(StatusCodes.Status404NotFound, "No ledger has an archive of this session.");
        await audit.NoteAsync(Operator.ByHttp, "show", archive, cancellationToken);
        return await DocumentResponse.SendAsync(context, archive, downloader, cancellationToken);
    }

    private static async Task<IResult> RestoreAsync(
        HttpRequest request,
        ArchiveLookup lookup,
        RestoreRunner runner,
        IHostApplicationLifetime lifetime,
        CancellationToken cancellationToken
    )
    {
        var body = await request.BodyAsync<RestoreBody>(cancellationToken) ?? new RestoreBody();
        if (
            await lookup.FindAsync(body.Source, request.SessionId(), body.Generation, "?source=", cancellationToken)
            is not var (source, archive)
        )
            return JsonForm.Error(StatusCodes.Status404NotFound, "No ledger has an archive of this session.");
        // A client that hangs up does not stop what it began: only the end of the worker does.
        var report = await runner.RunAsync(body.Options(source, archive, Operator.ByHttp), progress: null, lifetime.ApplicationStopping);
        return JsonForm.Ok(report, StatusOf(report));
    }

    /// <summary>How a restore's outcome reads as a status.</summary>
    public static int StatusOf(RestoreReport report) =>
        report.Outcome switch
        {
            RunOutcome.Done => StatusCodes.Status200OK,
            RunOutcome.Partial or RunOutcome.Refused or RunOutcome.LockedElsewhere or RunOutcome.Paused => StatusCodes.Status409Conflict,
            RunOutcome.Cancelled => StatusCodes.Status503ServiceUnavailable,
            _ => StatusCodes.Status502BadGateway,
        };
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Worker.Access;
using Archiver.Worker.Http;
using Archiver.Worker.Jobs;

namespace Archiver.Worker.Pages;

/// <summary>What the buttons of the pages do: each is a form that is posted, and leads back to a page that shows the outcome.</summary>
internal static class ActionEndpoints
{
    public static void MapActions(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/actions/run", RunAsync).WithQuery();
        routes.MapPost("/actions/pause", PauseAsync).WithQuery();
        routes.MapPost("/actions/resume", ResumeAsync).WithQuery();
        routes.MapPost("/actions/retry", RetryAsync).WithQuery();
        routes.MapPost("/actions/hold", HoldAsync).WithQuery();
        routes.MapPost("/actions/unhold", UnholdAsync).WithQuery();
        routes.MapPost("/actions/restore", RestoreAsync).DisableRequestTimeout().WithQuery();
    }

    private static async Task<IResult> RunAsync(
        HttpRequest request,
        RunStarter starter,
        PageRenderer pages,
        CancellationToken cancellationToken
    )
    {
        var form = await ActionForm.ReadAsync(request, cancellationToken);
        return await starter.StartAsync(form["policy"], cancellationToken) is not null
            ? SeeOther.To("/", "started")
            : await pages.ProblemAsync(
                StatusCodes.Status503ServiceUnavailable,
                "Not started",
                "The worker still waits for the source's servers."
            );
    }

    private static async Task<IResult> PauseAsync(
        HttpRequest request,
        PolicyChoice choice,
        LedgerAccess ledger,
        CancellationToken cancellationToken
    )
    {
        var (source, policy) = choice.Policies(null, (await ActionForm.ReadAsync(request, cancellationToken))["policy"])[0];
        await ledger.WriteAsync(
            source,
            async connections =>
            {
                await Pauses.AddAsync(connections, source.Name, policy.Name, Operator.ByPage, cancellationToken);
                return true;
            },
            cancellationToken
        );
        return SeeOther.To("/", "paused");
    }

    private static async Task<IResult> ResumeAsync(
        HttpRequest request,
        PolicyChoice choice,
        LedgerAccess ledger,
        PageRenderer pages,
        CancellationToken cancellationToken
    )
    {
        var (source, policy) = choice.Policies(null, (await ActionForm.ReadAsync(request, cancellationToken))["policy"])[0];
        var still = await ledger.WriteAsync(
            source,
            async connections =>
            {
                await Pauses.RemoveAsync(connections, source.Name, policy.Name, Operator.ByPage, cancellationToken);
                await using var connection = await connections.OpenAsync(cancellationToken);
                return await Pauses.FindAsync(connection, source.Name, policy.Name, cancellationToken);
            },
            cancellationToken
        );
        // A wider pause was somebody's decision about more than this policy.
        return still is null && !policy.Paused
            ? SeeOther.To("/", "resumed")
            : await pages.ProblemAsync(
                StatusCodes.Status409Conflict,
                "Still paused",
                still is null
                    ? "The configuration says Paused: true."
                    : $"Paused by: {still}. Lift it with: archiver resume{(still == "everything" ? "" : $" {still}")}"
            );
    }

    private static async Task<IResult> RetryAsync(
        HttpRequest request,
        PolicyChoice choice,
        LedgerAccess ledger,
        CancellationToken cancellationToken
    )
    {
        var form = await ActionForm.ReadAsync(request, cancellationToken);
        var source = choice.OneSource(form["source"]);
        await ledger.WriteAsync(
            source,
            connections => Quarantine.RetryAsync(connections, source.Name, [form["id"]], Operator.ByPage, cancellationToken),
            cancellationToken
        );
        return SeeOther.To("/", "retried");
    }

    private static async Task<IResult> HoldAsync(
        HttpRequest request,
        PolicyChoice choice,
        LedgerAccess ledger,
        CancellationToken cancellationToken
    )
    {
        var form = await ActionForm.ReadAsync(request, cancellationToken);
        var source = choice.OneSource(form["source"]);
        var hold = new HoldRequest { Session = form["id"], Reason = form["reason"] };
        await ledger.WriteAsync(
            source,
            connections => LegalHolds.AddAsync(connections, source, hold, Operator.ByPage, cancellationToken),
            cancellationToken
        );
        return SeeOther.To(Show.TranscriptUrl(source.Name, form["id"]), "held");
    }

    private static async Task<IResult> UnholdAsync(
        HttpRequest request,
        PolicyChoice choice,
        LedgerAccess ledger,
        PageRenderer pages,
        CancellationToken cancellationToken
    )
    {
        var form = await ActionForm.ReadAsync(request, cancellationToken);
        var source = choice.OneSource(form["source"]);
        var hold = form.Number("hold");
        return await ledger.WriteAsync(
            source,
            connections => LegalHolds.RemoveAsync(connections, source, hold, Operator.ByPage, cancellationToken),
            cancellationToken
        )
            ? SeeOther.To("/", "unheld")
            : await pages.ProblemAsync(StatusCodes.Status409Conflict, "Not removed", "That hold is not in force any more.");
    }

    private static async Task<IResult> RestoreAsync(
        HttpRequest request,
        ArchiveLookup lookup,
        RestoreRunner runner,
        IHostApplicationLifetime lifetime,
        PageRenderer pages,
        CancellationToken cancellationToken
    )
    {
        var form = await ActionForm.ReadAsync(request, cancellationToken);
        var (source, id, generation) = (form["source"], form["id"], form.Number("generation"));
        if (await lookup.FindAsync(source, id, generation, "?source=", cancellationToken) is not var (found, archive))
            return await pages.NoArchiveAsync();
        var body = new RestoreBody
        {
            Generation = generation,
            OnConflict = form.Choice<ConflictMode>("conflict"),
            Reactivate = form.IsChecked("reactivate"),
        };
        var report = await runner.RunAsync(body.Options(found, archive, Operator.ByPage), progress: null, lifetime.ApplicationStopping);
        if (report.Outcome == RunOutcome.Done)
            return SeeOther.To(
                Show.TranscriptUrl(found.Name, archive.SessionId, archive.Generation),
                report.Restored > 0 ? "restored" : "there"
            );
        string[] reasons = [.. report.Refused.Select(r => r.Reason), .. report.Error is { } error ? [error] : Array.Empty<string>()];
        return await pages.ProblemAsync(ArchiveEndpoints.StatusOf(report), "Not restored", reasons);
    }
}

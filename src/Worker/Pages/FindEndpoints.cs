using Archiver.Core.Diagnostics;
using Archiver.Core.Query;
using Archiver.Core.Settings;
using Archiver.Worker.Access;
using Archiver.Worker.Http;
using Archiver.Worker.Output;

namespace Archiver.Worker.Pages;

/// <summary>
/// The page that looks for a text in archived messages: as <c>archiver search</c>, and never more than a worker beside its runs can read.
/// </summary>
internal static class FindEndpoints
{
    /// <summary>Compressed bytes that one search may fetch.</summary>
    public const long MostBytes = 32_000_000;

    private const int MostShown = 100;

    /// <summary>Searches at once; another one waits no longer than its request may take.</summary>
    private static readonly SemaphoreSlim OneAtATime = new(1);

    public static void MapFind(this IEndpointRouteBuilder routes)
    {
        routes
            .MapGet("/find", (ArchiverSettings settings, PageRenderer pages) =>
                PageAsync(new(null, null, null, null, null, null, null), settings, pages, null, null)
            )
            .WithQuery();
        routes.MapPost("/find", FindAsync).WithMetadata(new OnlyReads()).WithQuery();
    }

    private static async Task<IResult> FindAsync(
        HttpRequest request,
        PolicyChoice choice,
        ArchiverSettings settings,
        ArchiveSelection selection,
        PageRenderer pages,
        CancellationToken cancellationToken
    )
    {
        var form = await ActionForm.ReadAsync(request, cancellationToken);
        var filter = new FindFilter(
            form.Optional("text"),
            form.Optional("source"),
            form.Optional("policy"),
            form.Optional("user"),
            form.Optional("session"),
            form.Optional("from"),
            form.Optional("to")
        );
        if (string.IsNullOrWhiteSpace(filter.Text))
            return await PageAsync(filter, settings, pages, null, "There is nothing to look for.");
        var sources = choice.Sources(filter.Source);
        foreach (var source in sources)
            await AddAsync(selection, filter, source, sources.Count, cancellationToken);
        var estimate = selection.Estimate;
        if (estimate.Archives == 0)
            return await PageAsync(filter, settings, pages, null, "No archive matches the filter.");
        if (estimate.Bytes > MostBytes)
        {
            return await PageAsync(
                filter,
                settings,
                pages,
                null,
                $"That would read {Amount.Of(estimate.Archives, "archive")}, {Amount.Bytes(estimate.Bytes)}, and {Amount.Bytes(MostBytes)} "
                    + "are the most here. Say whose, or when; or use archiver search."
            );
        }
        await OneAtATime.WaitAsync(cancellationToken);
        try
        {
            await selection.AuditAsync(Operator.ByPage, "search", cancellationToken);
            var (newest, count) = await new TextSearch(selection).RunAsync(filter.Text, MostShown, null, cancellationToken);
            return await PageAsync(filter, settings, pages, new(newest, count, estimate.Archives), null);
        }
        finally
        {
            OneAtATime.Release();
        }
    }

    private static async Task AddAsync(
        ArchiveSelection selection,
        FindFilter filter,
        SourceSettings source,
        int sources,
        CancellationToken cancellationToken
    )
    {
        var wanted = new QueryFilter(source.Name)
        {
            User = filter.User,
            Session = filter.Session,
            From = RequestValues.Instant("from", filter.From),
            To = RequestValues.Instant("to", filter.To),
            Policy = filter.Policy is { } policy ? Names.Canonical(policy) : null,
        };
        try
        {
            await selection.AddAsync(wanted, cancellationToken);
        }
        catch (ArchiverException exception) when (exception.Kind == FailureKind.Configuration && sources > 1)
        {
            // A user of one source need not be a value of the others' columns.
        }
    }

    private static Task<IResult> PageAsync(
        FindFilter filter,
        ArchiverSettings settings,
        PageRenderer pages,
        FindAnswer? answer,
        string? problem
    ) =>
        pages.PageAsync<FindPage>(
            new FindModel(
                filter,
                [.. settings.Sources.Select(s => s.Name)],
                [
                    .. settings
                        .Sources.SelectMany(s => s.Policies)
                        .Where(p => p.Action == PolicyAction.Archive)
                        .Select(p => p.Name)
                        .Distinct(),
                ],
                answer,
                problem
            )
        );
}

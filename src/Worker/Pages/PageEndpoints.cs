using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Reading;
using Archiver.Core.Restore;
using Archiver.Core.Settings;
using Archiver.Worker.Access;
using Archiver.Worker.Http;
using Archiver.Worker.Metrics;

namespace Archiver.Worker.Pages;

/// <summary>The pages for people: status, transcript, and the question before a restore.</summary>
internal static class PageEndpoints
{
    private const int MostListed = 50;

    private const int PageMessages = 200;

    /// <summary>A person may look a few times a minute; after an action the page must show what it did.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(10);

    public static void MapPages(this IEndpointRouteBuilder routes)
    {
        routes.MapAssets();
        routes.MapFind();
        routes.MapSearch();
        routes.MapGet("/", StatusAsync).WithQuery("done");
        routes.MapGet("/transcript", TranscriptAsync).WithQuery("source", "id", "generation", "first", "done");
        routes.MapGet("/restore", RestoreAsync).WithQuery("source", "id", "generation");
    }

    private static async Task<IResult> StatusAsync(
        HttpRequest request,
        StatusBoard board,
        LedgerAccess ledger,
        PageRenderer pages,
        CancellationToken cancellationToken
    )
    {
        var notice = Notices.Of(request.Query.Text("done"));
        List<SourceModel> sources = [];
        foreach (var entry in await board.ReadAsync(notice is null ? MaxAge : TimeSpan.Zero, cancellationToken))
        {
            sources.Add(
                entry.Status is null
                    ? new(entry, [], [])
                    : new(
                        entry,
                        await ledger.ReadAsync(
                            entry.Source,
                            c => Quarantine.ListAsync(c, entry.Source.Name, MostListed, cancellationToken),
                            cancellationToken
                        ),
                        await ledger.ReadAsync(
                            entry.Source,
                            c => HoldList.ReadAsync(c, entry.Source.Name, removed: false, cancellationToken),
                            cancellationToken
                        )
                    )
            );
        }
        return await pages.PageAsync<StatusPage>(new StatusModel(sources, notice));
    }

    private static async Task<IResult> TranscriptAsync(
        HttpRequest request,
        ArchiveLookup lookup,
        TranscriptReader reader,
        ReadAudit audit,
        PageRenderer pages,
        CancellationToken cancellationToken
    )
    {
        if (await FindAsync(request, lookup, cancellationToken) is not var (source, archive))
            return await pages.NoArchiveAsync();
        await audit.NoteAsync(Operator.ByPage, "show", archive, cancellationToken);
        var first = (int)Math.Min(request.Query.Id("first") ?? 0, int.MaxValue / 2);
        var transcript = await reader.ReadAsync(archive, first, PageMessages, cancellationToken);
        return await pages.PageAsync<TranscriptPage>(
            new TranscriptModel(source, archive, transcript, Notices.Of(request.Query.Text("done")))
        );
    }

    private static async Task<IResult> RestoreAsync(
        HttpRequest request,
        ArchiveLookup lookup,
        PageRenderer pages,
        CancellationToken cancellationToken
    ) =>
        await FindAsync(request, lookup, cancellationToken) is var (_, archive)
            ? await pages.PageAsync<RestorePage>(new RestoreModel(archive))
            : await pages.NoArchiveAsync();

    private static async Task<(SourceSettings Source, LocatedArchive Archive)?> FindAsync(
        HttpRequest request,
        ArchiveLookup lookup,
        CancellationToken cancellationToken
    ) =>
        request.Query.Text("id") is { } id
            ? await lookup.FindAsync(
                request.Query.Text("source"),
                id,
                request.Query.Count("generation", int.MaxValue),
                "?source=",
                cancellationToken
            )
            : null;
}

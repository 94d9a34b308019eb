using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Lifecycle;
using Archiver.Core.Restore;
using Archiver.Core.Selection;
using Archiver.Core.Sources;
using Archiver.Worker.Commands;
using Archiver.Worker.Http;
using Archiver.Worker.Metrics;

namespace Archiver.Worker.Pages;

/// <summary>The pages for people: status, search, transcript, and the question before a restore.</summary>
internal static class PageEndpoints
{
    private const int MostFound = 100;

    private const int MostListed = 50;

    private const int PageMessages = 200;

    /// <summary>A person may look a few times a minute; after an action the page must show what it did.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(10);

    public static void MapPages(this IEndpointRouteBuilder routes)
    {
        routes.MapAssets();
        routes.MapGet("/", StatusAsync);
        routes.MapGet("/search", SearchAsync);
        routes.MapGet("/transcript", TranscriptAsync);
        routes.MapGet("/restore", RestoreAsync);
    }

    private static async Task<IResult> StatusAsync(HttpRequest request, StatusBoard board, LedgerAccess ledger, PageRenderer pages, CancellationToken cancellationToken)
    {
        var notice = Notices.Of(request.Query.Text("done"));
        List<SourceModel> sources = [];
        foreach (var entry in await board.ReadAsync(notice is null ? MaxAge : TimeSpan.Zero, cancellationToken).ConfigureAwait(false))
        {
            sources.Add(entry.Status is null
                ? new(entry, [], [])
                : new(
                    entry,
                    await ledger.ReadAsync(entry.Source, c => Quarantine.ListAsync(c, entry.Source.Name, MostListed, cancellationToken), cancellationToken).ConfigureAwait(false),
                    await ledger.ReadAsync(entry.Source, c => Holds.ListAsync(c, entry.Source.Name, removed: false, cancellationToken), cancellationToken).ConfigureAwait(false)));
        }
        return await pages.PageAsync<StatusPage>(new StatusModel(sources, notice)).ConfigureAwait(false);
    }

    private static async Task<IResult> SearchAsync(
        HttpRequest request, ArchiverSettings settings, ArchiveList archives, SessionExplainer explainer, SourceErrors errors, PageRenderer pages, CancellationToken cancellationToken)
    {
        var query = request.Query.Text("q")?.Trim();
        if (string.IsNullOrEmpty(query))
            return await pages.PageAsync<SearchPage>(new SearchModel(null, [], false, [])).ConfigureAwait(false);
        List<(string, ListedArchive)> found = [];
        List<string> live = [];
        foreach (var source in settings.Sources)
        {
            var bySession = new ArchiveFilter(source.Name, null, null, null, null, MostFound + 1, null, query);
            found.AddRange((await errors.ExplainAsync(source, () => archives.ReadAsync(bySession, cancellationToken)).ConfigureAwait(false)).Select(a => (source.Name, a)));
            var byUser = bySession with { User = query, Id = null };
            found.AddRange((await errors.ExplainAsync(source, () => archives.ReadAsync(byUser, cancellationToken)).ConfigureAwait(false)).Select(a => (source.Name, a)));
            if (await IsLiveAsync(source, query, explainer, errors, cancellationToken).ConfigureAwait(false))
                live.Add(source.Name);
        }
        var shown = found.Distinct().Take(MostFound).ToList();
        return await pages.PageAsync<SearchPage>(new SearchModel(query, shown, found.Distinct().Count() > MostFound, live)).ConfigureAwait(false);
    }

    // A source that inspection refuses has no answer to this; the status page says why.
    private static async Task<bool> IsLiveAsync(SourceSettings source, string id, SessionExplainer explainer, SourceErrors errors, CancellationToken cancellationToken)
    {
        try
        {
            return source.Policies.Count > 0
                && (await errors.ExplainAsync(source, () => explainer.ExplainAsync(source, source.Policies[0], id, cancellationToken)).ConfigureAwait(false)).SessionId is not null;
        }
        catch (ArchiverException exception) when (exception.Kind == FailureKind.Refused)
        {
            return false;
        }
    }

    private static async Task<IResult> TranscriptAsync(HttpRequest request, ArchiveLookup lookup, TranscriptReader reader, PageRenderer pages, CancellationToken cancellationToken)
    {
        if (await FindAsync(request, lookup, cancellationToken).ConfigureAwait(false) is not var (source, archive))
            return await AbsentAsync(pages).ConfigureAwait(false);
        var first = (int)Math.Min(request.Query.Id("first") ?? 0, int.MaxValue / 2);
        var transcript = await reader.ReadAsync(archive, first, PageMessages, cancellationToken).ConfigureAwait(false);
        return await pages.PageAsync<TranscriptPage>(new TranscriptModel(source, archive, transcript, Notices.Of(request.Query.Text("done")))).ConfigureAwait(false);
    }

    private static async Task<IResult> RestoreAsync(HttpRequest request, ArchiveLookup lookup, PageRenderer pages, CancellationToken cancellationToken) =>
        await FindAsync(request, lookup, cancellationToken).ConfigureAwait(false) is var (_, archive)
            ? await pages.PageAsync<RestorePage>(new RestoreModel(archive)).ConfigureAwait(false)
            : await AbsentAsync(pages).ConfigureAwait(false);

    private static async Task<(SourceSettings Source, LocatedArchive Archive)?> FindAsync(HttpRequest request, ArchiveLookup lookup, CancellationToken cancellationToken) =>
        request.Query.Text("id") is { } id
            ? await lookup.FindAsync(request.Query.Text("source"), id, request.Query.Count("generation", int.MaxValue), cancellationToken).ConfigureAwait(false)
            : null;

    private static Task<IResult> AbsentAsync(PageRenderer pages) =>
        pages.PageAsync<ProblemPage>(new ProblemModel("Not found", ["No ledger has an archive of this session."]), StatusCodes.Status404NotFound);
}

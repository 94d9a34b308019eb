using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Worker.Access;
using Archiver.Worker.Http;

namespace Archiver.Worker.Pages;

/// <summary>The page that finds archives, and live sessions, by an id or a user.</summary>
internal static class SearchEndpoints
{
    private const int MostFound = 100;

    public static void MapSearch(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/search", SearchAsync).WithQuery("q", "source", "policy", "state", "from", "to", "after");

    private static async Task<IResult> SearchAsync(
        HttpRequest request,
        PolicyChoice choice,
        ArchiverSettings settings,
        ArchiveList archives,
        SessionExplainer explainer,
        SourceErrors errors,
        PageRenderer pages,
        CancellationToken cancellationToken
    )
    {
        var query = request.Query;
        var filter = new SearchFilter(
            query.Text("q") is { } text && !string.IsNullOrWhiteSpace(text) ? text : null,
            query.Text("source"),
            query.Text("policy"),
            query.Word("state", ArchiveStates.All),
            query.Text("from"),
            query.Text("to")
        );
        var (from, to, after) = (query.Instant("from"), query.Instant("to"), query.Id("after"));
        List<(string Source, ListedArchive Archive)> found = [];
        List<string> live = [];
        // As it stands, for a blank may belong to an id, and without the blanks that came along with a copied one.
        List<string> ids = filter.Query is { } typed ? [.. new[] { typed, typed.Trim() }.Distinct(StringComparer.Ordinal)] : [];
        // The number of a row is one ledger's: the link to older ones names its source.
        foreach (var source in after is null ? choice.Sources(filter.Source) : [choice.OneSource(filter.Source)])
        {
            var all = new ArchiveFilter(
                source.Name,
                null,
                from,
                to,
                filter.State,
                MostFound + 1,
                after,
                null,
                filter.Policy is { } policy ? Names.Canonical(policy) : null
            );
            foreach (var part in ids.Count == 0 ? [all] : ids.SelectMany(id => new[] { all with { Id = id }, all with { User = id } }))
                found.AddRange(await ReadAsync(source, part, archives, errors, cancellationToken));
            var isLive = false;
            foreach (var id in ids)
                isLive |= await IsLiveAsync(source, id, explainer, errors, cancellationToken);
            if (isLive)
                live.Add(source.Name);
        }
        // Each source's newest come first; a page of several sources ends where the first of them has more.
        var shown = found.DistinctBy(f => (f.Source, f.Archive.Id)).ToList();
        var cut = shown
            .GroupBy(f => f.Source)
            .Where(g => g.Count() > MostFound)
            .Select(g => (g.Key, Last: g.Skip(MostFound - 1).First().Archive.Id))
            .ToList();
        shown = [.. shown.GroupBy(f => f.Source).SelectMany(g => g.Take(MostFound))];
        return await pages.PageAsync<SearchPage>(
            new SearchModel(
                filter,
                [.. settings.Sources.Select(s => s.Name)],
                [
                    .. settings
                        .Sources.SelectMany(s => s.Policies)
                        .Where(p => p.Action == PolicyAction.Archive)
                        .Select(p => p.Name)
                        .Distinct(),
                ],
                shown,
                [.. cut.Select(c => (c.Key, filter.Url(c.Key, c.Last)))],
                live
            )
        );
    }

    // What was typed may be a session's id in one source and no user of another: such a source has nothing of it.
    private static async Task<IEnumerable<(string, ListedArchive)>> ReadAsync(
        SourceSettings source,
        ArchiveFilter filter,
        ArchiveList archives,
        SourceErrors errors,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return (await errors.ExplainAsync(source, () => archives.ReadAsync(filter, cancellationToken))).Select(a => (source.Name, a));
        }
        catch (ArchiverException exception) when (exception.Kind == FailureKind.Configuration && filter.User is not null)
        {
            return [];
        }
    }

    // A source that inspection refuses has no answer to this; the status page says why.
    private static async Task<bool> IsLiveAsync(
        SourceSettings source,
        string id,
        SessionExplainer explainer,
        SourceErrors errors,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return source.Policies.Count > 0
                && (
                    await errors.ExplainAsync(source, () => explainer.ExplainAsync(source, source.Policies[0], id, cancellationToken))
                ).SessionId
                    is not null;
        }
        catch (ArchiverException exception) when (exception.Kind == FailureKind.Refused)
        {
            return false;
        }
    }
}

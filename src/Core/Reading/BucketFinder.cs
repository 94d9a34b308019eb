using System.Text.RegularExpressions;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Archiver.Core.Upload;

namespace Archiver.Core.Reading;

/// <summary>
/// Finds documents by the names of their objects alone, for a database that has no ledger. It reads the whole listing of the prefix, and
/// finds no member of a bundle: those want <c>ledger rebuild</c>. Of several objects of one session the documents themselves say which is
/// the newest: a nonce in a key orders nothing, and after a copy of the bucket the store's times are those of the copy.
/// </summary>
internal sealed partial class BucketFinder(IArchiveReader store, SourceSettings source)
{
    private readonly ObjectExaminer _examiner = new(store, source);

    /// <summary>Ids with several objects of which one is left out, its key, and why.</summary>
    public List<(string Id, string Key, string Reason)> Undecided { get; } = [];

    /// <summary>
    /// The first page has for each id the whole session whose rows were read last. The pages after it have its parts, the newest first. Ids
    /// without an object are left out.
    /// </summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<IReadOnlyList<IReadOnlyList<RestoreCandidate>>> FindAsync(
        IReadOnlyList<string> ids,
        CancellationToken cancellationToken
    )
    {
        var wanted = ids.Distinct(StringComparer.Ordinal).ToDictionary(ObjectKey.Encode, id => id, StringComparer.Ordinal);
        Dictionary<string, List<ListedVersions>> found = new(StringComparer.Ordinal);
        await foreach (var listed in new AllObjects(store).ListAsync($"{source.Prefix}/", cancellationToken))
        {
            if (
                SessionKey().Match(listed.Key[source.Prefix.Length..]) is not { Success: true } name
                || !wanted.TryGetValue(name.Groups["id"].Value, out var id)
            )
                continue;
            if (!found.TryGetValue(id, out var keys))
                found[id] = keys = [];
            keys.Add(listed);
        }
        List<List<RestoreCandidate>> pages = [];
        foreach (var (id, keys) in found)
        {
            foreach (var (page, candidate) in (await ChooseAsync(id, keys, cancellationToken)).Index())
            {
                if (page == pages.Count)
                    pages.Add([]);
                pages[page].Add(candidate);
            }
        }
        return pages;
    }

    private async Task<IReadOnlyList<RestoreCandidate>> ChooseAsync(
        string id,
        List<ListedVersions> keys,
        CancellationToken cancellationToken
    )
    {
        if (keys is [var only] && only.Objects.Count() == 1)
            return [new(id, only.Objects.First(), null)];
        List<FoundObject> read = [];
        foreach (var key in keys)
        {
            if (await _examiner.ExamineAsync(key, cancellationToken) is not { } found)
                continue;
            if (found.Problem is null)
            {
                read.Add(found);
                continue;
            }
            Undecided.Add(
                (
                    id,
                    key.Key,
                    "it has several objects, and this one cannot be read: it may be the newest. Name the one to restore: --object"
                )
            );
            return [];
        }
        var newest = read.OrderByDescending(f => f.Documents[0].ArchivedAt)
            .ThenByDescending(f => f.Documents[0].Generation)
            .ThenBy(f => f.Key, StringComparer.Ordinal)
            .ToLookup(f => f.Documents[0].Header.IsPart);
        // Without the ledger nobody knows whether a newer one has its rows, too: where they have no key, they would be there twice.
        if (!source.Map.Session.HasRow)
            Undecided.AddRange(
                newest[false]
                    .Skip(1)
                    .Select(f => (id, f.Key, "an older archive of it, which may have other rows; archiver ledger rebuild finds that out"))
            );
        return
        [
            .. newest[false].Take(1).Select(f => new RestoreCandidate(id, new(f.Key, f.VersionId), null)),
            .. newest[true].Select(f => new RestoreCandidate(id, new(f.Key, f.VersionId), null) { NeedsSession = newest[false].Any() }),
        ];
    }

    [GeneratedRegex(@"^/\d{4,}/\d{2}/(?<id>[A-Za-z0-9._%-]+)(~[0-9a-f]+)?\.json\.gz$", RegexOptions.ExplicitCapture)]
    private static partial Regex SessionKey();
}

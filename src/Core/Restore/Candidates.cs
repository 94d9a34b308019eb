using System.Globalization;
using System.Runtime.CompilerServices;
using Archiver.Core.Import;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Core.Storage;

namespace Archiver.Core.Restore;

/// <summary>The documents that a restore asks for: from the ledger, or where there is none from the bucket.</summary>
/// <param name="map">Of the source.</param>
/// <param name="ledger">Finds them in the ledger.</param>
/// <param name="bucket">Finds them by the names of their objects.</param>
/// <param name="tally">Told what was found, and what was not.</param>
internal sealed class Candidates(SourceMap map, CandidateFinder ledger, BucketFinder bucket, RestoreTally tally)
{
    /// <summary>Page by page. What was asked for by name and is not to be found goes to the tally as refused.</summary>
    public async IAsyncEnumerable<IReadOnlyList<RestoreCandidate>> FindAsync(
        RestoreOptions options,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var hasLedger = await ledger.HasArchivesAsync(options.Source, cancellationToken);
        var form = await ledger.FormAsync(cancellationToken);
        // As they were given, by the key that they may be.
        var ids = options.Ids.ToLookup(form.KeyOf, StringComparer.Ordinal);
        HashSet<string> wanted = [.. options.Ids, .. options.ObjectKeys];
        if (hasLedger)
        {
            if (options is { IntoSource: true, Ids.Count: 0, ObjectKeys.Count: 0 })
                await AddRestoredAsync(options, cancellationToken);
            foreach (var kind in Kinds(options))
            {
                await foreach (var page in ledger.FindAsync(options, form, kind, cancellationToken))
                {
                    foreach (var found in page)
                        wanted.ExceptWith([
                            .. ids[found.Archive.SessionId],
                            .. new[] { found.ExternalId, found.Archive.Object.Key }.OfType<string>(),
                        ]);
                    foreach (var group in kind == CandidateKind.Sessions ? [page] : InTurn(page))
                    {
                        tally.AddSelected(group.Count);
                        yield return [.. group.Select(f => f.ToCandidate())];
                    }
                }
            }
        }
        if (options.ObjectKeys.Count > 0)
        {
            // An object that the ledger does not know is read all the same: its key says where, the document says what.
            List<RestoreCandidate> unknown = [.. wanted.Select(k => new RestoreCandidate(null, new ObjectName(k), null))];
            tally.AddSelected(unknown.Count);
            yield return unknown;
        }
        else if (wanted.Count > 0 && !hasLedger)
        {
            var pages = await bucket.FindAsync([.. ids.Select(i => i.Key)], cancellationToken);
            wanted.ExceptWith(pages.SelectMany(p => p).SelectMany(f => ids[f.SessionId!]));
            foreach (var (id, key, reason) in bucket.Undecided)
            {
                wanted.ExceptWith(ids[id]);
                tally.AddRefused(id, key, reason);
            }
            foreach (var page in pages)
            {
                tally.AddSelected(page.Count);
                yield return page;
            }
        }
        if (options.ObjectKeys.Count == 0)
        {
            foreach (var id in wanted)
                tally.AddRefused(
                    id,
                    null,
                    hasLedger
                        ? Unknown(options)
                        : "the ledger has no archive at all, and the store no object of "
                            + "its name; a member of a bundle is found after: archiver ledger rebuild"
                );
        }
    }

    // Whole sessions first: the messages of parts go beside what these bring back. What takes the place of a live session is one archive.
    private IEnumerable<CandidateKind> Kinds(RestoreOptions options) =>
        map.Session.HasRow || options.OnConflict == ConflictMode.Replace
            ? [CandidateKind.Sessions, CandidateKind.Parts]
            : [CandidateKind.Rowless];

    /// <summary>
    /// Those that can be restored, in groups with one archive a session: a message may need one of a newer archive by a foreign key, never
    /// one of an older.
    /// </summary>
    private IEnumerable<IReadOnlyList<FoundArchive>> InTurn(IReadOnlyList<FoundArchive> page)
    {
        List<FoundArchive> group = [];
        HashSet<string> sessions = new(StringComparer.Ordinal);
        foreach (var part in page)
        {
            if (part.WithoutSession)
            {
                tally.AddSelected(1);
                tally.AddRefused(
                    part.Archive.SessionId,
                    part.Archive.Object.Key,
                    "these are older messages of a session that the "
                        + "application has deleted since; to bring it back with them, name it: archiver restore <id>"
                );
                continue;
            }
            if (!sessions.Add(part.Archive.SessionId))
            {
                yield return group;
                group = [];
                sessions = new([part.Archive.SessionId], StringComparer.Ordinal);
            }
            group.Add(part);
        }
        if (group.Count > 0)
            yield return group;
    }

    private static string Unknown(RestoreOptions options) =>
        options.Generation is { } generation
            ? string.Create(CultureInfo.InvariantCulture, $"the ledger has no generation {generation} of it; see: archiver list")
            : "the ledger has no archive of it";

    // Before anything is restored: later this restore's own sessions would count. Whether they are there is for the rows to say, not for
    // the ledger.
    private async Task AddRestoredAsync(RestoreOptions options, CancellationToken cancellationToken)
    {
        var (there, gone) = await ledger.RestoredAsync(options, cancellationToken);
        tally.AddAlreadyThere(there);
        tally.AddSelected(gone.Count);
        foreach (var session in gone)
            tally.AddRefused(
                session,
                null,
                "it was restored before, and the application has deleted it since; to bring it back once more, "
                    + "name it: archiver restore <id>"
            );
    }
}

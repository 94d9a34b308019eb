using System.Collections.Concurrent;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Selection;
using Archiver.Core.Upload;

namespace Archiver.Core.Verification;

/// <summary>
/// Sessions whose stored copy was read back and found right, byte for byte. The only ways to get one are <see cref="VerifyAsync"/> after an
/// upload and <see cref="ReverifyAsync"/> before a delayed delete, and the deletion takes nothing else: skipping verification does not
/// compile.
/// </summary>
internal sealed class VerifiedBatch
{
    private VerifiedBatch(
        ExportedBatch export,
        IReadOnlyList<VerifiedSession> sessions,
        IReadOnlyList<RejectedSession> rejected,
        IReadOnlyDictionary<string, DueArchive>? stored,
        IReadOnlySet<long> needed
    )
    {
        Export = export;
        Sessions = sessions;
        Rejected = rejected;
        Stored = stored;
        Needed = needed;
    }

    public ExportedBatch Export { get; }

    public IReadOnlyList<VerifiedSession> Sessions { get; }

    /// <summary>Sessions whose copy is missing or wrong, or not of the rows of now.</summary>
    public IReadOnlyList<RejectedSession> Rejected { get; }

    /// <summary>
    /// Before a delayed delete the archives that the ledger has, by session key; null where the delete is to record them.
    /// </summary>
    public IReadOnlyDictionary<string, DueArchive>? Stored { get; }

    /// <summary>
    /// Objects that a later part of the same batch may still store sessions of; none when this is the whole batch or its last part.
    /// </summary>
    public IReadOnlySet<long> Needed { get; }

    /// <summary>
    /// Reads every object of the batch back, each as soon as it is stored, and keeps the sessions whose copies are right.
    /// </summary>
    /// <exception cref="StorageException">The store does not answer, or the upload failed.</exception>
    /// <exception cref="InvalidOperationException">The upload handed over other sessions than were exported.</exception>
    public static async Task<VerifiedBatch> VerifyAsync(
        UploadedBatch batch,
        ObjectVerifier verifier,
        int concurrency,
        CancellationToken cancellationToken
    )
    {
        var (right, wrong) = await ReadBackAsync(batch.Objects.Select(ExpectedObject.Of), verifier, concurrency, cancellationToken);
        var read = right.Select(s => s.Key).Concat(wrong.Select(s => s.Key)).ToList();
        return
            read.Count == batch.Export.Sessions.Count
            && read.ToHashSet(StringComparer.Ordinal).SetEquals(batch.Export.Sessions.Select(s => s.Key))
            ? new(batch.Export, right, wrong, stored: null, needed: new HashSet<long>())
            : throw new InvalidOperationException("The uploaded objects do not hold each exported session once.");
    }

    /// <summary>
    /// The same for sessions that an earlier run stored. Rows and copy must both be as they were: the versions are those that the ledger
    /// noted after the mark, the object is read back whole, and its rows are those of this new export, byte for byte, but for the columns
    /// that the mark itself changed. Versions alone prove it within one run only; contents alone would overlook a change of a marked
    /// column.
    /// </summary>
    /// <param name="export">The sessions as they are now.</param>
    /// <param name="stored">Their archives, by key.</param>
    /// <param name="verifier">Reads the objects.</param>
    /// <param name="concurrency">Objects at once.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<VerifiedBatch> ReverifyAsync(
        ExportedBatch export,
        IReadOnlyDictionary<string, DueArchive> stored,
        ObjectVerifier verifier,
        int concurrency,
        CancellationToken cancellationToken
    )
    {
        var due = export.Sessions.Select(s => (Archive: stored[s.Key], Session: s)).ToLookup(d => IsAsMarked(d.Session, d.Archive));
        var (right, wrong) = await ReadBackAsync(
            ExpectedObject.Of(due[true]).ToAsyncEnumerable(),
            verifier,
            concurrency,
            cancellationToken
        );
        var changed = ExpectedObject
            .Of(due[false])
            .SelectMany(o => o.Members)
            .Select(m => new RejectedSession(m.Copy, m.Session, DropReason.Changed));
        return new(export, right, [.. wrong, .. changed], stored, needed: new HashSet<long>());
    }

    /// <summary>
    /// Two halves, for a delete that did not finish within its timeout, to be done in this order; what was rejected goes with the first. A
    /// bundle may have sessions in both.
    /// </summary>
    /// <exception cref="InvalidOperationException">The batch is a single session.</exception>
    public (VerifiedBatch First, VerifiedBatch Second) Halve()
    {
        if (Sessions.Count < 2)
            throw new InvalidOperationException("A batch of one session cannot be halved.");
        List<VerifiedSession> later = [.. Sessions.Skip(Sessions.Count / 2)];
        var needed = Needed.Union(later.Select(s => s.Copy.ObjectId)).ToHashSet();
        return (new(Export, [.. Sessions.Take(Sessions.Count / 2)], Rejected, Stored, needed), new(Export, later, [], Stored, Needed));
    }

    private static bool IsAsMarked(ExportedSession session, DueArchive archive)
    {
        var marked = Fingerprint.FromJson(archive.Fingerprints);
        return session
            .Fingerprints.Keys.Union(marked.Keys)
            .All(t => session.Fingerprints.GetValueOrDefault(t) == marked.GetValueOrDefault(t));
    }

    private static async Task<(IReadOnlyList<VerifiedSession> Right, IReadOnlyList<RejectedSession> Wrong)> ReadBackAsync(
        IAsyncEnumerable<ExpectedObject> objects,
        ObjectVerifier verifier,
        int concurrency,
        CancellationToken cancellationToken
    )
    {
        var read = new ConcurrentBag<(ExpectedObject Object, IReadOnlyList<CheckedMember> Found)>();
        var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(objects, options, async (expected, token) =>
            read.Add((expected, await verifier.VerifyAsync(expected, token)))
        );

        List<VerifiedSession> right = [];
        List<RejectedSession> wrong = [];
        foreach (var (expected, found) in read.OrderBy(r => r.Object.Members[0].Copy.ObjectId))
        {
            foreach (var (member, copy) in expected.Members.Zip(found))
            {
                if (copy.Reason is null)
                    right.Add(new(member.Copy, member.Session) { Unmarked = copy.Unmarked });
                else
                    wrong.Add(new(member.Copy, member.Session, copy.Reason));
            }
        }
        return (right, wrong);
    }
}

/// <summary>A session with the copy that is proven to hold it.</summary>
internal sealed record VerifiedSession(StoredCopy Copy, ExportedSession Session)
{
    public string Key => Session.Key;

    /// <summary>
    /// Of what an earlier run stored: the columns of the session row that its mark has changed, as the copy has them, as JSON. Else null.
    /// </summary>
    public string? Unmarked { get; init; }
}

/// <summary>A session whose copy is not right.</summary>
/// <param name="Copy">Where the copy should be.</param>
/// <param name="Session">The session.</param>
/// <param name="Reason">One of <see cref="DropReason"/>.</param>
internal sealed record RejectedSession(StoredCopy Copy, ExportedSession Session, string Reason)
{
    public string Key => Session.Key;
}

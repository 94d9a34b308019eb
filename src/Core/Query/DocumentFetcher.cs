using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Reading;
using Archiver.Core.Spool;
using Archiver.Core.Storage;

namespace Archiver.Core.Query;

/// <summary>
/// Fetches documents from the store, many at once, and makes sure that they are what the ledger has: only then anything sees them. Members
/// that lie beside each other in one object come with one request.
/// </summary>
/// <param name="store">The reading side.</param>
/// <param name="take">Gets members that were compared, with their bytes as stored, which are valid until it returns.</param>
/// <param name="concurrency">Requests at once.</param>
internal sealed class DocumentFetcher(
    IArchiveReader store,
    Func<IReadOnlyList<(QueriedArchive Archive, DocumentHeader Header)>, SpooledContent, CancellationToken, Task> take,
    int concurrency
)
{
    private readonly DamagedArchive _damaged = new(store);

    /// <summary>Fetches archives page by page; those that were erased are passed over.</summary>
    /// <exception cref="ArchiverException">
    /// An object is missing, in cold storage, or not what was archived; the message names it.
    /// </exception>
    /// <exception cref="StorageException">The store does not answer or refuses, or the folder for temporary files is full.</exception>
    public async Task RunAsync(
        IAsyncEnumerable<IReadOnlyList<QueriedArchive>> pages,
        TombstoneSet erased,
        Action<int> progress,
        CancellationToken cancellationToken
    )
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
        // Over all pages: while one is read from the ledger, what the one before names is fetched.
        await Parallel.ForEachAsync(FetchesAsync(pages, erased, progress, cancellationToken), options, async (fetch, token) =>
        {
            await FetchAsync(fetch, token);
            progress(fetch.Count);
        });
    }

    private static async IAsyncEnumerable<IReadOnlyList<QueriedArchive>> FetchesAsync(
        IAsyncEnumerable<IReadOnlyList<QueriedArchive>> pages,
        TombstoneSet erased,
        Action<int> progress,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var page in pages.WithCancellation(cancellationToken))
        {
            var known = page.ToDictionary(a => a.Archive.Id);
            // A ledger that was restored to an earlier time may still name them.
            var wanted = page.Select(a => a.Archive)
                .Where(a => !erased.Covers(a.SessionId, a.User, a.Created, a.CopiedAt))
                .Select(RestoreCandidate.Of)
                .ToList();
            progress(page.Count - wanted.Count);
            foreach (var fetch in SessionDownloads.Fetches(wanted))
                yield return [.. fetch.Select(c => known[c.Archive!.Id])];
        }
    }

    private async Task FetchAsync(IReadOnlyList<QueriedArchive> fetch, CancellationToken cancellationToken)
    {
        using var body = await DownloadAsync(fetch, cancellationToken);
        List<(QueriedArchive, DocumentHeader)> members = [];
        await using var stream = body.OpenRead();
        using var reader = new MemberReader();
        foreach (var archive in fetch)
            members.Add((archive, await CheckAsync(archive.Archive, stream, reader, cancellationToken)));
        await take(members, body, cancellationToken);
    }

    /// <summary>Reads a body to its end at once: what uses it may be slow, and a connection that waits for it would be given up.</summary>
    private async Task<SpooledContent> DownloadAsync(IReadOnlyList<QueriedArchive> fetch, CancellationToken cancellationToken)
    {
        var (first, last) = (fetch[0].Archive, fetch[^1].Archive);
        try
        {
            var length = last.Offset + last.Length - first.Offset;
            await using var body = await store.OpenRangeAsync(first.Object, first.Offset, length, cancellationToken)
                ?? throw await _damaged.MissingAsync(first, cancellationToken);
            await using var spool = new SpoolingStream();
            await body.CopyToAsync(spool, cancellationToken);
            return spool.Complete();
        }
        catch (StorageException exception) when (exception.Failure == StorageFailure.NeedsThawing)
        {
            throw new ArchiverException(
                FailureKind.Failed,
                $"Object {first.Object.Key} is in a cold storage class and must be thawed first.",
                exception
            );
        }
    }

    /// <summary>Reads the member at which the stream stands, to its end, and returns its header if it is what the ledger has.</summary>
    private async Task<DocumentHeader> CheckAsync(
        LocatedArchive archive,
        Stream stream,
        MemberReader reader,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var header = MemberReader.Holds(archive.Length, archive.JsonLength)
                ? await ReadHeldAsync(archive, reader.Read(stream, archive.Length, archive.JsonLength), cancellationToken)
                : await ReadStreamAsync(archive, stream, cancellationToken);
            return header ?? throw _damaged.Changed(archive, null);
        }
        catch (Exception exception) when (DocumentDamage.Is(exception))
        {
            throw _damaged.Changed(archive, exception);
        }
    }

    private static async Task<DocumentHeader?> ReadHeldAsync(
        LocatedArchive archive,
        ArraySegment<byte> json,
        CancellationToken cancellationToken
    )
    {
        if (!SHA256.HashData(json).AsSpan().SequenceEqual(archive.JsonSha256))
            return null;
        using var document = await DocumentReader.OpenAsync(json, cancellationToken);
        return document.Header;
    }

    private static async Task<DocumentHeader?> ReadStreamAsync(LocatedArchive archive, Stream stream, CancellationToken cancellationToken)
    {
        await using var member = new SliceStream(stream, archive.Length);
        await using var json = new GzipMemberStream(member);
        await using var hashing = new HashingStream(json);
        using var document = await DocumentReader.OpenAsync(hashing, cancellationToken);
        await hashing.CopyToAsync(Stream.Null, cancellationToken);
        // What the decompressor left unread belongs to this member; the next one begins after it.
        await member.CopyToAsync(Stream.Null, cancellationToken);
        return hashing.Was(archive.JsonLength, archive.JsonSha256) ? document.Header : null;
    }
}

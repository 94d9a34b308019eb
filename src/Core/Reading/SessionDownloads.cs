using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Spool;
using Archiver.Core.Storage;
using Archiver.Core.Upload;

namespace Archiver.Core.Reading;

/// <summary>
/// Downloads many documents at once and hands each to <paramref name="take"/>, decompressed. Members that lie beside each other in one
/// object come with one request.
/// </summary>
/// <param name="store">The reading side.</param>
/// <param name="take">Reads a document to its end; throws <see cref="RefusedSessionException"/> where something is wrong with it.</param>
/// <param name="refuse">Told of each session that cannot be read or was refused.</param>
/// <param name="concurrency">Requests at once.</param>
internal sealed class SessionDownloads(
    IArchiveReader store,
    Func<RestoreCandidate, Stream, CancellationToken, Task> take,
    Action<RestoreCandidate, ReadProblem, string> refuse,
    int concurrency
)
{
    /// <summary>Bytes of neighbouring members that one request fetches.</summary>
    private const long FetchBytes = 4L << 20;

    /// <summary>Reads all candidates.</summary>
    /// <exception cref="StorageException">
    /// The store does not answer, or gives no object; that says nothing about a session.
    /// </exception>
    public async Task RunAsync(IAsyncEnumerable<IReadOnlyList<RestoreCandidate>> pages, CancellationToken cancellationToken)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
        await foreach (var page in pages.WithCancellation(cancellationToken))
            await Parallel.ForEachAsync(Fetches(page), options, async (fetch, token) => await FetchAsync(fetch, token));
    }

    /// <summary>Splits candidates into runs of members that follow each other in one object.</summary>
    internal static IEnumerable<IReadOnlyList<RestoreCandidate>> Fetches(IReadOnlyList<RestoreCandidate> candidates)
    {
        List<RestoreCandidate> fetch = [];
        foreach (var candidate in candidates)
        {
            if (fetch.Count > 0 && !Follows(fetch, candidate))
            {
                yield return fetch;
                fetch = [];
            }
            fetch.Add(candidate);
        }
        if (fetch.Count > 0)
            yield return fetch;
    }

    private static bool Follows(List<RestoreCandidate> fetch, RestoreCandidate next) =>
        fetch[^1].Archive is { } last
        && next.Archive is { } archive
        && last.Object == archive.Object
        && last.Offset + last.Length == archive.Offset
        && archive.Offset + archive.Length - fetch[0].Archive!.Offset <= FetchBytes;

    private async Task FetchAsync(IReadOnlyList<RestoreCandidate> fetch, CancellationToken cancellationToken)
    {
        var done = 0;
        try
        {
            await using var body = await OpenAsync(fetch, cancellationToken);
            if (body is null)
            {
                var left = await new AllObjects(store).FindOthersAsync(fetch[0].Object, cancellationToken);
                if (left.Count == 0)
                    RefuseLeft(ReadProblem.Missing, $"its object is missing in {store.Location}");
                else
                    RefuseLeft(ReadProblem.Hidden, AllObjects.Describe(store, fetch[0].Object, left));
                return;
            }
            for (; done < fetch.Count; done++)
                await TakeAsync(fetch[done], body, cancellationToken);
        }
        catch (StorageException exception)
        {
            var prefix = ObjectKey.PrefixOf(fetch[0].Object.Key);
            if (await ObjectFailure.DescribeAsync(store, prefix, exception, cancellationToken) is not { } detail)
                throw;
            RefuseLeft(ProblemOf(exception.Failure), detail);
        }

        void RefuseLeft(ReadProblem problem, string detail)
        {
            foreach (var candidate in fetch.Skip(done))
                refuse(candidate, problem, detail);
        }
    }

    private static ReadProblem ProblemOf(StorageFailure failure) =>
        failure switch
        {
            StorageFailure.NeedsThawing => ReadProblem.NeedsThawing,
            StorageFailure.Permanent => ReadProblem.Denied,
            _ => ReadProblem.Failing,
        };

    private Task<Stream?> OpenAsync(IReadOnlyList<RestoreCandidate> fetch, CancellationToken cancellationToken)
    {
        if (fetch[0].Archive is not { } first)
            return store.OpenAsync(fetch[0].Object, cancellationToken);
        var last = fetch[^1].Archive!;
        return store.OpenRangeAsync(first.Object, first.Offset, last.Offset + last.Length - first.Offset, cancellationToken);
    }

    private async Task TakeAsync(RestoreCandidate candidate, Stream body, CancellationToken cancellationToken)
    {
        await using var member = new SliceStream(body, candidate.Archive?.Length ?? long.MaxValue);
        try
        {
            await using var json = new GzipMemberStream(member);
            await take(candidate, json, cancellationToken);
        }
        catch (RefusedSessionException refused)
        {
            refuse(candidate, refused.Problem, refused.Message);
        }
        // What the decompressor left unread belongs to this member; the next one begins after it.
        await member.CopyToAsync(Stream.Null, cancellationToken);
    }
}

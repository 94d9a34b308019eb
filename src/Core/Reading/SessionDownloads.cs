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

    /// <summary>Times a body that breaks off on the way is fetched again.</summary>
    private const int Attempts = 3;

    /// <summary>Reads all candidates.</summary>
    /// <exception cref="StorageException">
    /// The store does not answer, or refuses more than one object; that says nothing about a session.
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
        for (var attempt = 1; done < fetch.Count; attempt++)
        {
            try
            {
                await using var body = await OpenAsync(fetch, done, cancellationToken);
                if (body is null)
                {
                    var left = await new AllObjects(store).FindOthersAsync(fetch[done].Object, cancellationToken);
                    var (problem, detail) =
                        left.Count == 0
                            ? (ReadProblem.Missing, $"its object is missing in {store.Location}")
                            : (ReadProblem.Hidden, AllObjects.Describe(store, fetch[done].Object, left));
                    foreach (var candidate in fetch.Skip(done))
                        refuse(candidate, problem, detail);
                    return;
                }
                for (; done < fetch.Count; done++)
                    await TakeAsync(fetch[done], body, cancellationToken);
            }
            catch (StorageException exception) when (exception.Failure == StorageFailure.NeedsThawing)
            {
                foreach (var candidate in fetch.Skip(done))
                    refuse(candidate, ReadProblem.NeedsThawing, "its object is in a cold storage class and must be thawed first");
                return;
            }
            catch (StorageException exception) when (exception.Failure == StorageFailure.Permanent && exception is not SpoolException)
            {
                if (!await GivesOthersAsync(fetch[done].Object.Key, cancellationToken))
                    throw;
                foreach (var candidate in fetch.Skip(done))
                    refuse(candidate, ReadProblem.Denied, $"the store refuses its object and gives others: {exception.Message}");
                return;
            }
            catch (StorageException exception) when (exception.Failure == StorageFailure.Transient && attempt < Attempts)
            {
                // The body broke off; opening it again has its own retries and back-off.
            }
        }
    }

    /// <summary>
    /// Whether the store gives one of the small objects that the archiver keeps beside its archives: then a refusal is of one object, and
    /// not of who asks or of the bucket.
    /// </summary>
    private async Task<bool> GivesOthersAsync(string key, CancellationToken cancellationToken)
    {
        if (ObjectKey.PrefixOf(key) is not { } prefix)
            return false;
        try
        {
            await foreach (var listed in store.ListAsync($"{prefix}/.archiver/", cancellationToken))
            {
                await using var body = await store.OpenRangeAsync(new(listed.Key), 0, 1, cancellationToken);
                return body is not null && await body.ReadAsync(new byte[1], cancellationToken) == 1;
            }
        }
        catch (StorageException)
        {
            // It is the store, then.
        }
        return false;
    }

    private Task<Stream?> OpenAsync(IReadOnlyList<RestoreCandidate> fetch, int from, CancellationToken cancellationToken)
    {
        if (fetch[from].Archive is not { } first)
            return store.OpenAsync(fetch[from].Object, cancellationToken);
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

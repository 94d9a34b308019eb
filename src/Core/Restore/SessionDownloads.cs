using System.IO.Compression;
using System.Threading.Channels;
using Archiver.Core.Storage;

namespace Archiver.Core.Restore;

/// <summary>
/// Downloads, checks and stages many documents at once, while those before them are imported. Members that lie beside each other in one
/// object come with one request.
/// </summary>
internal sealed class SessionDownloads(IArchiveReader store, SessionStager stager, RestoreTally tally, int concurrency)
{
    /// <summary>Bytes of neighbouring members that one request fetches.</summary>
    private const long FetchBytes = 4L << 20;

    /// <summary>Times a body that breaks off on the way is fetched again.</summary>
    private const int Attempts = 3;

    /// <summary>Writes staged sessions to the channel; refused ones go to the tally.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses; that says nothing about a session.</exception>
    public async Task RunAsync(IAsyncEnumerable<IReadOnlyList<RestoreCandidate>> pages, ChannelWriter<StagedSession> output, CancellationToken cancellationToken)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
        await foreach (var page in pages.WithCancellation(cancellationToken).ConfigureAwait(false))
            await Parallel.ForEachAsync(Fetches(page), options, async (fetch, token) => await FetchAsync(fetch, output, token).ConfigureAwait(false)).ConfigureAwait(false);
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
        fetch[^1].Archive is { } last && next.Archive is { } archive && last.Object == archive.Object
        && last.Offset + last.Length == archive.Offset && archive.Offset + archive.Length - fetch[0].Archive!.Offset <= FetchBytes;

    private async Task FetchAsync(IReadOnlyList<RestoreCandidate> fetch, ChannelWriter<StagedSession> output, CancellationToken cancellationToken)
    {
        var done = 0;
        for (var attempt = 1; done < fetch.Count; attempt++)
        {
            try
            {
                await using var body = await OpenAsync(fetch, done, cancellationToken).ConfigureAwait(false);
                if (body is null)
                {
                    foreach (var candidate in fetch.Skip(done))
                        tally.AddRefused(candidate.SessionId, candidate.Object.Key, $"its object is missing in {store.Location}");
                    return;
                }
                for (; done < fetch.Count; done++)
                    await StageAsync(fetch[done], body, output, cancellationToken).ConfigureAwait(false);
            }
            catch (StorageException exception) when (exception.Failure == StorageFailure.NeedsThawing)
            {
                foreach (var candidate in fetch.Skip(done))
                    tally.AddRefused(candidate.SessionId, candidate.Object.Key, "its object is in a cold storage class and must be thawed first");
                return;
            }
            catch (StorageException exception) when (exception.Failure == StorageFailure.Transient && attempt < Attempts)
            {
                // The body broke off; opening it again has its own retries and back-off.
            }
        }
    }

    private Task<Stream?> OpenAsync(IReadOnlyList<RestoreCandidate> fetch, int from, CancellationToken cancellationToken)
    {
        if (fetch[from].Archive is not { } first)
            return store.OpenAsync(fetch[from].Object, cancellationToken);
        var last = fetch[^1].Archive!;
        return store.OpenRangeAsync(first.Object, first.Offset, last.Offset + last.Length - first.Offset, cancellationToken);
    }

    private async Task StageAsync(RestoreCandidate candidate, Stream body, ChannelWriter<StagedSession> output, CancellationToken cancellationToken)
    {
        await using var member = new SliceStream(body, candidate.Archive?.Length ?? long.MaxValue);
        try
        {
            await using var json = new GZipStream(member, CompressionMode.Decompress, leaveOpen: true);
            var staged = await stager.StageAsync(candidate, json, cancellationToken).ConfigureAwait(false);
            await output.WriteAsync(staged, cancellationToken).ConfigureAwait(false);
        }
        catch (RefusedSessionException refused)
        {
            tally.AddRefused(candidate.SessionId, candidate.Object.Key, refused.Message);
        }
        // What the decompressor left unread belongs to this member; the next one begins after it.
        await member.CopyToAsync(Stream.Null, cancellationToken).ConfigureAwait(false);
    }
}

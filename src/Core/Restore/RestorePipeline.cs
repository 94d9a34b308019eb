using System.Threading.Channels;
using Archiver.Core.Diagnostics;
using Archiver.Core.Import;
using Archiver.Core.Reading;
using Archiver.Core.Storage;

namespace Archiver.Core.Restore;

/// <summary>
/// The restore pipeline: locate, download, check, import. Downloads of the next sessions overlap the import of those before.
/// </summary>
internal sealed class RestorePipeline(
    IArchiveReader store,
    SessionStager stager,
    SessionImporter importer,
    RestoreTally tally,
    int concurrency,
    string? otherTarget = null
)
{
    /// <summary>Sessions of one transaction; more gain nothing, and one that is refused makes all of them go in again.</summary>
    private const int BatchSessions = 500;

    private const long BatchBytes = 16L << 20;

    private const int Waiting = 64;

    /// <summary>Restores the candidates; the outcome is in the tally.</summary>
    public async Task RunAsync(IAsyncEnumerable<IReadOnlyList<RestoreCandidate>> candidates, CancellationToken cancellationToken)
    {
        var staged = Channel.CreateBounded<StagedSession>(new BoundedChannelOptions(Waiting) { SingleReader = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var downloading = DownloadAsync(candidates, staged.Writer, stop.Token);
        try
        {
            await ImportAsync(staged.Reader, cancellationToken);
            await downloading;
        }
        finally
        {
            await stop.CancelAsync();
            await downloading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            while (staged.Reader.TryRead(out var left))
                await left.DisposeAsync();
        }
    }

    private async Task DownloadAsync(
        IAsyncEnumerable<IReadOnlyList<RestoreCandidate>> candidates,
        ChannelWriter<StagedSession> output,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var downloads = new SessionDownloads(
                store,
                async (candidate, json, token) =>
                    await output.WriteAsync(
                        await OtherTarget.NamedAsync(otherTarget, () => stager.StageAsync(candidate, json, token)),
                        token
                    ),
                (candidate, _, reason) => tally.AddRefused(candidate.SessionId, candidate.Object.Key, reason),
                concurrency
            );
            await downloads.RunAsync(candidates, cancellationToken);
            output.TryComplete();
        }
        catch (Exception exception)
        {
            // The importer may be waiting: it must learn of this instead of waiting for ever.
            output.TryComplete(exception);
            throw;
        }
    }

    private async Task ImportAsync(ChannelReader<StagedSession> input, CancellationToken cancellationToken)
    {
        List<StagedSession> batch = [];
        HashSet<string> keys = new(StringComparer.Ordinal);
        try
        {
            await foreach (var session in input.ReadAllAsync(cancellationToken))
            {
                // Sessions of one transaction have one plan and different keys.
                if (batch.Count > 0 && (batch[0].Plan != session.Plan || !keys.Add(session.Key)))
                    await FlushAsync(batch, keys, cancellationToken);
                if (session.Header.IsPart && tally.Keeps(session))
                {
                    await session.DisposeAsync();
                    continue;
                }
                batch.Add(session);
                keys.Add(session.Key);
                if (batch.Count >= BatchSessions || batch.Sum(s => s.Content.Length) >= BatchBytes)
                    await FlushAsync(batch, keys, cancellationToken);
            }
            await FlushAsync(batch, keys, cancellationToken);
        }
        finally
        {
            foreach (var session in batch)
                await session.DisposeAsync();
        }
    }

    private async Task FlushAsync(List<StagedSession> batch, HashSet<string> keys, CancellationToken cancellationToken)
    {
        if (batch.Count > 0)
        {
            FaultPoint.Reach(FaultPoints.RestoreStaged);
            tally.Add(await OtherTarget.NamedAsync(otherTarget, () => importer.ImportAsync(batch, cancellationToken)));
        }
        foreach (var session in batch)
            await session.DisposeAsync();
        batch.Clear();
        keys.Clear();
    }
}

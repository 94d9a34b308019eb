using System.Runtime.CompilerServices;
using Archiver.Core.Diagnostics;
using Archiver.Core.Import;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;

namespace Archiver.Core.Restore;

/// <summary>Finds archives, reads them and puts their rows into tables.</summary>
internal sealed class RestoreWork(
    SourceSettings source,
    ArchiverSettings settings,
    SourceConnections connections,
    IArchiveReader store,
    TimeProvider time
)
{
    /// <param name="options">What is wanted.</param>
    /// <param name="tally">Told what became of each session.</param>
    /// <param name="scope">
    /// The run under which it is recorded; null where the target is not the source itself, or nothing is to stay.
    /// </param>
    /// <param name="candidates">What to restore; null for what the options say.</param>
    /// <param name="cancellationToken">Stops it; what was committed stays.</param>
    /// <exception cref="ArchiverException">Nothing was found, or the tables do not fit.</exception>
    public async Task RestoreAsync(
        RestoreOptions options,
        RestoreTally tally,
        RestoreScope? scope,
        IReadOnlyList<RestoreCandidate>? candidates,
        CancellationToken cancellationToken
    )
    {
        await using var tables = await RestoreTables.OpenAsync(source, options, connections, store, cancellationToken);
        var records = scope is null ? null : new RestoreRecords(source, scope.RunId, scope.Lease, options.Who);
        await using var importer = new SessionImporter(
            tables.Into,
            records,
            tables.OpenAsync,
            settings.Batch,
            new DatabaseRetry(settings.Retry, time),
            options.DryRun ? new ReplacementRehearsal(source, tables.Into.Target.Shape) : null
        );
        var pages = candidates is null
            ? new Candidates(source.Map, new CandidateFinder(connections), new BucketFinder(store, source), tally).FindAsync(
                options,
                cancellationToken
            )
            : InTurn(candidates, cancellationToken);
        await new RestorePipeline(
            store,
            tables.Stager,
            importer,
            tally,
            settings.Storage.UploadConcurrency,
            options.TargetConnectionString
        ).RunAsync(pages, cancellationToken);
        if (tally.IsEmpty)
            throw new ArchiverException(FailureKind.Failed, await new RestoreChoice(connections, source).NothingAsync(cancellationToken));
    }

    // One archive of each session at a time, in the order in which they are given: the next goes beside the one before it.
    private static async IAsyncEnumerable<IReadOnlyList<RestoreCandidate>> InTurn(
        IReadOnlyList<RestoreCandidate> candidates,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await Task.CompletedTask.WaitAsync(cancellationToken);
        foreach (var turn in candidates.GroupBy(c => c.SessionId).SelectMany(g => g.Index()).GroupBy(c => c.Index, c => c.Item))
            yield return [.. turn];
    }
}

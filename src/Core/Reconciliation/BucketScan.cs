using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Archiver.Core.Upload;

namespace Archiver.Core.Reconciliation;

/// <summary>Reads objects of a prefix, many at once, and sorts out those of other sources, databases and systems.</summary>
internal sealed class BucketScan(IArchiveReader store, SourceSettings source, DatabaseIdentity database, bool otherSystems, int concurrency)
{
    private readonly ObjectExaminer _examiner = new(store, source);

    private FormerNames? _names;

    /// <summary>Objects that are not this database's.</summary>
    public List<SkippedObject> Foreign { get; } = [];

    public List<SkippedObject> Unreadable { get; } = [];

    /// <summary>Whether a key is one that the archiver gives to archives: nothing else is read, adopted or removed.</summary>
    public static bool IsArchiveKey(string prefix, string key) => ObjectKey.IsArchive(prefix, key);

    /// <summary>Reads the objects and returns those that are ours, in any order.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async IAsyncEnumerable<FoundObject> ReadAsync(
        IAsyncEnumerable<ListedVersions> keys,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        _names = await FormerNames.LoadAsync(store, source, cancellationToken);
        var found = Channel.CreateBounded<FoundObject>(concurrency * 4);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reading = ExamineAsync(keys, found.Writer, stop.Token);
        try
        {
            await foreach (var candidate in found.Reader.ReadAllAsync(cancellationToken))
            {
                if (candidate.Problem is { } problem)
                    Unreadable.Add(new(candidate.Key, problem));
                else if (WhyForeign(candidate) is { } reason)
                    Foreign.Add(new(candidate.Key, reason));
                else
                    yield return candidate;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Why an object is not this database's, or null.</summary>
    public string? WhyForeign(FoundObject found)
    {
        foreach (var header in found.Documents.Select(d => d.Header.Source))
        {
            if (!(_names?.Contains(header.Name) ?? Names.Same(header.Name, source.Name)))
                return $"of source '{DocumentReader.Shorten(header.Name)}'";
            if (!otherSystems && !database.Origins.Contains((header.SystemId, header.Database)))
                return $"of database '{DocumentReader.Shorten(header.Database)}' of another system";
        }
        return null;
    }

    private async Task ExamineAsync(
        IAsyncEnumerable<ListedVersions> keys,
        ChannelWriter<FoundObject> output,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(keys, options, async (key, token) =>
            {
                if (await _examiner.ExamineAsync(key, token) is { } found)
                    await output.WriteAsync(found, token);
            });
            output.TryComplete();
        }
        catch (Exception exception)
        {
            output.TryComplete(exception);
        }
    }
}

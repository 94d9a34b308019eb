using Archiver.Core.Export;
using Archiver.Core.Ledger;

namespace Archiver.Core.Upload;

/// <summary>
/// Many sessions in one object, one gzip member each: the whole is gzipped JSON Lines for zcat or DuckDB, and the ledger's offset and
/// length fetch one session with one ranged GET. A bundle never spans two batches, so that it is settled by the transaction that deletes
/// them.
/// </summary>
internal sealed class BundleLayout(RunContext run, long bundleBytes) : IObjectLayout
{
    private int _sequence;

    public string Name => "bundle";

    public IEnumerable<PlannedObject> Plan(ExportedBatch batch)
    {
        List<ExportedSession> members = [];
        var bytes = 0L;
        foreach (var session in batch.Sessions)
        {
            var length = session.Document.Content.Length;
            if (members.Count > 0 && bytes + length > bundleBytes)
            {
                yield return PlannedObject.Of(members);
                (members, bytes) = ([], 0);
            }
            members.Add(session);
            bytes += length;
        }
        if (members.Count > 0)
            yield return PlannedObject.Of(members);
    }

    /// <summary>
    /// The run and the sequence make the name unique, so a conflict simply takes the next number; the nonce is added where the store
    /// ignores conditions.
    /// </summary>
    public Task<IReadOnlyList<string>> ChooseKeysAsync(IReadOnlyList<PlannedUpload> uploads, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<string>>([
            .. uploads.Select(u =>
                ObjectKey.ForBundle(run.Source.Prefix, run.Cutoffs.Now, run.Id, Interlocked.Increment(ref _sequence), u.Nonce)
            ),
        ]);
}

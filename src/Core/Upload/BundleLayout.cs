using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Spool;

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
        List<ObjectMember> members = [];
        var offset = 0L;
        foreach (var session in batch.Sessions)
        {
            var length = session.Document.Content.Length;
            if (members.Count > 0 && offset + length > bundleBytes)
            {
                yield return Bundle(members);
                (members, offset) = ([], 0);
            }
            members.Add(new(session, offset, length));
            offset += length;
        }
        if (members.Count > 0)
            yield return Bundle(members);
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

    private static PlannedObject Bundle(List<ObjectMember> members) =>
        new(new ConcatenatedContent([.. members.Select(m => (IObjectContent)m.Session.Document.Content)]), members);
}

using Archiver.Core.Bucket;
using Archiver.Core.Storage;

namespace Archiver.Core.Reconciliation;

/// <summary>Objects in the bucket that the ledger does not know: reads them, and with fix adopts this ledger's.</summary>
internal sealed class UnrecordedArchives(ReconcileScope scope, BucketScan scan, KnownCopies copies)
{
    /// <summary>Returns the keys of those that are ours. Other ledgers' are among the scan's foreign ones then.</summary>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<IReadOnlyList<string>> AdoptAsync(List<ListedVersions> listed, CancellationToken cancellationToken)
    {
        var adopts = scope.Fix && listed.Count > 0;
        List<string> ours = [];
        await using var adopting = adopts ? await scope.Connections.OpenDirectAsync(cancellationToken) : null;
        var erased = await new TombstoneReader(scope.Store).LoadAsync(scope.Source, scope.Connection, cancellationToken);
        var records = new FoundRecords(adopting ?? scope.Connection, scope.Source, scope.Store, erased);
        if (adopts)
        {
            await records.BeginAsync(cancellationToken);
            await foreach (var manifest in new ManifestReader(scope.Store).ReadAllAsync(scope.Source.Prefix, cancellationToken))
                await records.AddAsync(manifest, cancellationToken);
        }
        await foreach (var found in scan.ReadAsync(listed.ToAsyncEnumerable(), cancellationToken))
        {
            // Another ledger's objects under this prefix: a test system on the production bucket, or the other way round.
            if (found.LedgerId is { } id && !scope.Database.LedgerIds.Contains(id))
            {
                scan.Foreign.Add(new(found.Key, "of another ledger; after a lost ledger, see: archiver ledger rebuild"));
                continue;
            }
            foreach (var own in await copies.WithoutAsync([found], cancellationToken))
            {
                ours.Add(own.Key);
                if (adopts)
                    await records.AddAsync([own], cancellationToken);
            }
        }
        if (adopts && ours.Count > 0)
            await records.WriteAsync(audit: null, scope.Connections, scope.Lease, cancellationToken);
        return ours;
    }
}

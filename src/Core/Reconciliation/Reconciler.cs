using Archiver.Core.Diagnostics;
using Archiver.Core.Inspection;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Compares bucket, ledger and rows. With fix it adopts what the ledger lost, corrects states, and removes abandoned objects that are
/// provably nobody's only copy; it is the one place besides erase and discard that removes an object at all.
/// </summary>
internal sealed class Reconciler(ArchiverSettings settings, ConnectionCatalog connections, IArchiveStore store, TimeProvider time)
{
    private const string IsRecorded =
        "SELECT EXISTS (SELECT FROM archiver.objects AS o WHERE o.location = $1 AND o.source = $2 AND o.key = $3)";

    /// <param name="sourceName">Name of the source.</param>
    /// <param name="fix">Whether to change anything.</param>
    /// <param name="who">Who asked, for the audit.</param>
    /// <param name="cancellationToken">Gives up; what was fixed stays fixed.</param>
    /// <exception cref="ArchiverException">No such source, no ledger, or with fix: another worker runs on it.</exception>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public async Task<ReconcileReport> RunAsync(string sourceName, bool fix, string who, CancellationToken cancellationToken) =>
        await TryRunAsync(sourceName, fix, who, cancellationToken)
        ?? throw new ArchiverException(
            FailureKind.Refused,
            $"Another worker runs on source '{sourceName}'. Reconcile again when it is done."
        );

    /// <summary>The same, and null when another worker runs on the source.</summary>
    public async Task<ReconcileReport?> TryRunAsync(string sourceName, bool fix, string who, CancellationToken cancellationToken)
    {
        var source = settings.Find(sourceName);
        var pool = connections[source.Name];
        await using var connection = await pool.OpenDirectAsync(cancellationToken);
        await Migrator.RequireCurrentAsync(connection, cancellationToken);
        source = await MappedTables.RequireAsync(connection, source, cancellationToken);
        // Also without fix: objects of a run that is going on would look unrecorded or missing.
        await using var taken = await SourceLock.TryTakeAsync(pool, time, cancellationToken);
        if (taken is null)
            return null;
        return await taken.WhileHeldAsync(token => RunAsync(source, connection, taken.Lease, fix, who, token), cancellationToken);
    }

    private async Task<ReconcileReport> RunAsync(
        SourceSettings source,
        NpgsqlConnection connection,
        Lease lease,
        bool fix,
        string who,
        CancellationToken cancellationToken
    )
    {
        await SourceRegistry.RegisterAsync(connections[source.Name], connection, source, cancellationToken);
        var (database, _) = await DatabaseIdentity.ReadAsync(connection, cancellationToken);
        if (fix)
            LedgerOwner.Require(database);
        var abandoned = await SuperfluousObjects.ListAsync(connection, store, source, settings.Safety.ReconcileAge, cancellationToken);
        var comparison = new BucketComparison(connection, store, source);
        await comparison.CompareAsync(cancellationToken);

        var scope = new ReconcileScope
        {
            Source = source,
            Connections = connections[source.Name],
            Connection = connection,
            Store = store,
            Database = database,
            Lease = lease,
            Fix = fix,
            Who = who,
        };
        var scan = new BucketScan(store, source, database, otherSystems: false, settings.Storage.UploadConcurrency);
        var copies = new KnownCopies(connection, source, store.Location);
        var unrecorded = await new UnrecordedArchives(scope, scan, copies).AdoptAsync(comparison.Unrecorded, cancellationToken);
        var shape = await TableDescriber.DescribeAsync(connection, source.Map, cancellationToken);
        var unknown = new UnknownArchives(connection, source, shape);
        var live = await unknown.LiveAndArchivedAsync(cancellationToken);
        var deleted = await unknown.DeletedSinceAsync(cancellationToken);
        var (removable, kept) = await new SuperfluousRemoval(scope, scan).RemoveAsync(abandoned, cancellationToken);
        if (fix)
        {
            await unknown.SettleLiveAsync(cancellationToken);
            await unknown.SettleDeletedAsync(cancellationToken);
        }
        var (uploads, unseen) = fix ? await EndUploadsAsync(source, connection, cancellationToken) : (0, null);
        var report = new ReconcileReport
        {
            Fixed = fix,
            Unrecorded = unrecorded,
            Foreign = scan.Foreign,
            Unreadable = scan.Unreadable,
            Missing = [.. comparison.Missing.Where(k => !copies.Places.ContainsKey(k))],
            // Renamed in the bucket: no backup is needed to bring it back.
            Hidden =
            [
                .. comparison.Hidden,
                .. comparison
                    .Missing.Where(copies.Places.ContainsKey)
                    .Select(k => new SkippedObject(k, $"it lies under another name: move {copies.Places[k]} back to this key")),
            ],
            Returned = comparison.Returned,
            Copies = copies.Found,
            Elsewhere = await MoveRecords.ElsewhereAsync(connection, source, store.Location, cancellationToken),
            LiveAndArchived = live,
            DeletedSince = deleted,
            Orphans = await OrphansAsync(connection, source.Map, shape, cancellationToken),
            Removable = removable,
            Kept = kept,
            AbortedUploads = uploads,
            Limitation = (comparison.Limitation, unseen) switch
            {
                ({ } versions, { } parts) => $"{versions}; {parts}",
                var (versions, parts) => versions ?? parts,
            },
        };
        if (fix)
            await AuditLog.WriteAsync(
                connection,
                new(
                    who,
                    "reconcile",
                    source.Name,
                    Counts: new Dictionary<string, long>
                    {
                        ["adopted"] = unrecorded.Count,
                        ["restored"] = live.Count,
                        ["uploads"] = uploads,
                    }
                ),
                cancellationToken
            );
        return report;
    }

    /// <summary>How many uploads were ended, or why they were not looked for.</summary>
    private async Task<(int Ended, string? Unseen)> EndUploadsAsync(
        SourceSettings source,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        // The age keeps off whatever may still be going on: no request of a run takes as long. A run records each key before it uploads:
        // what has no row is another installation's.
        Task<bool> IsRecordedAsync(string key, CancellationToken ct) =>
            connection.ScalarAsync<bool>(
                IsRecorded,
                ct,
                PgParameter.Text(store.Location),
                PgParameter.Text(source.Name),
                PgParameter.Text(key)
            );
        try
        {
            return (
                await store.AbortUploadsAsync(source.Prefix + "/", settings.Safety.ReconcileAge, IsRecordedAsync, cancellationToken),
                null
            );
        }
        catch (StorageException exception) when (exception.Failure == StorageFailure.Permanent)
        {
            return (
                0,
                "unfinished uploads were not ended (permission s3:ListBucketMultipartUploads or s3:AbortMultipartUpload, or the server "
                    + $"lacks the request): {exception.Message}"
            );
        }
    }

    private static async Task<IReadOnlyDictionary<string, long>> OrphansAsync(
        NpgsqlConnection connection,
        SourceMap map,
        SourceShape shape,
        CancellationToken cancellationToken
    )
    {
        var orphans = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var child in map.Children)
            orphans[child.Name] = await OrphanRows.CountAsync(connection, map, shape, child, cancellationToken);
        return orphans;
    }
}

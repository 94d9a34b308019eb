using System.Runtime.CompilerServices;
using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Inspection;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Archiver.Core.Storage.S3;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Rebuilds the ledger of a source from its bucket: objects, offsets, hashes, ids, generations, users, times, policies and runs. The state
/// follows the rows: gone means archived, live means unknown, and nothing destroys an unknown archive.
/// </summary>
internal sealed class LedgerRebuilder(ArchiverSettings settings, ConnectionCatalog connections, IArchiveReader store, TimeProvider time)
{
    private const int BatchObjects = 500;

    // A new ledger takes over the id that the objects carry, else they would all be another ledger's for ever.
    private const string InheritId = """
        UPDATE archiver.ledger SET id = $1 WHERE NOT EXISTS (SELECT FROM archiver.objects) AND NOT EXISTS (SELECT FROM archiver.runs)
        """;

    // Of a ledger that was lost: nobody else has it, and its objects are in this one now.
    private const string KnowFormer = """
        INSERT INTO archiver.former_ledgers (id)
        SELECT n.id::uuid FROM unnest($1) AS n (id) WHERE NOT EXISTS (SELECT FROM archiver.ledger AS l WHERE l.id = n.id::uuid)
        ON CONFLICT DO NOTHING
        """;

    /// <param name="sourceName">Name of the source.</param>
    /// <param name="otherSystems">
    /// Also take objects that say they come from another database or system, as after a move to a new server.
    /// </param>
    /// <param name="who">Who asked, for the audit.</param>
    /// <param name="progress">Told the number of objects read.</param>
    /// <param name="cancellationToken">Gives up; nothing is written then.</param>
    /// <exception cref="ArchiverException">No such source, or another worker runs on it.</exception>
    public async Task<RebuildReport> RebuildAsync(
        string sourceName,
        bool otherSystems,
        string who,
        IProgress<RunProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var source = settings.Find(sourceName);
        var pool = connections[source.Name];
        await using var connection = await pool.OpenDirectAsync(cancellationToken);
        source = await MappedTables.RequireAsync(connection, source, cancellationToken);
        await RunScope.PrepareLedgerAsync(connection, settings.AutoMigrate, cancellationToken);
        await using var taken = await SourceLock.TryTakeAsync(pool, time, cancellationToken)
            ?? throw new ArchiverException(FailureKind.Refused, $"Another worker runs on source '{source.Name}'.");
        return await taken.WhileHeldAsync(
            token => RebuildAsync(connection, taken.Lease, source, otherSystems, who, progress, token),
            cancellationToken
        );
    }

    private async Task<RebuildReport> RebuildAsync(
        NpgsqlConnection connection,
        Lease lease,
        SourceSettings source,
        bool otherSystems,
        string who,
        IProgress<RunProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var pool = connections[source.Name];
        await SourceRegistry.RegisterAsync(pool, connection, source, cancellationToken);
        var (database, _) = await DatabaseIdentity.ReadAsync(connection, cancellationToken);
        var erased = await new TombstoneReader(store).LoadAsync(source, connection, cancellationToken);
        var records = new FoundRecords(connection, source, store, erased);
        await records.BeginAsync(cancellationToken);
        var manifests = 0L;
        await foreach (var manifest in new ManifestReader(store).ReadAllAsync(source.Prefix, cancellationToken))
        {
            manifests++;
            await records.AddAsync(manifest, cancellationToken);
        }

        var (listing, copies) = (new AllObjects(store), new KnownCopies(connection, source, store.Location));
        var scan = new BucketScan(store, source, database, otherSystems, settings.Storage.UploadConcurrency);
        var total = progress is null ? 0 : await KeysAsync(listing, source, cancellationToken).CountAsync(cancellationToken);
        var (objects, ledgers) = (0L, new Dictionary<string, long>(StringComparer.Ordinal));
        List<FoundObject> batch = [];
        await foreach (var found in scan.ReadAsync(KeysAsync(listing, source, cancellationToken), cancellationToken))
        {
            objects++;
            progress?.Report(new(total, objects));
            if (found.LedgerId is { } id)
                ledgers[id] = ledgers.GetValueOrDefault(id) + 1;
            batch.Add(found);
            if (batch.Count < BatchObjects)
                continue;
            await records.AddAsync(await copies.WithoutAsync(batch, cancellationToken), cancellationToken);
            batch.Clear();
        }
        await records.AddAsync(await copies.WithoutAsync(batch, cancellationToken), cancellationToken);
        // Every archive was stored after a probe, which left an object under the same prefix.
        var probe = S3OverwriteProbe.KeyOf(source.Prefix, multipart: false);
        if (!listing.HasSeen && await store.HeadAsync(new(probe), cancellationToken) is not null)
            throw new StorageException(
                StorageFailure.Transient,
                $"{store.Location} has '{probe}' and lists nothing: its listing is not "
                    + "true. Nothing was rebuilt. Something between may answer in its place."
            );
        if (ledgers.Count > 0 && Guid.TryParse(ledgers.MaxBy(l => l.Value).Key, out var inherited))
            await connection.ExecuteAsync(InheritId, cancellationToken, PgParameter.Uuid(inherited));
        await connection.ExecuteAsync(KnowFormer, cancellationToken, PgParameter.Texts(ledgers.Keys.Where(k => Guid.TryParse(k, out _))));
        var added = await records.WriteAsync(
            new(who, "rebuild", source.Name, Counts: new Dictionary<string, long> { ["objects"] = objects }),
            pool,
            lease,
            cancellationToken
        );
        return new()
        {
            Objects = objects,
            Archives = added,
            Manifests = manifests,
            Erased = records.Erased,
            Foreign = scan.Foreign,
            Copies = copies.Found,
            Unreadable = scan.Unreadable,
            Limitation = listing.Limitation,
        };
    }

    private static async IAsyncEnumerable<ListedVersions> KeysAsync(
        AllObjects listing,
        SourceSettings source,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var listed in listing.ListAsync($"{source.Prefix}/", cancellationToken))
        {
            if (BucketScan.IsArchiveKey(source.Prefix, listed.Key))
                yield return listed;
        }
    }
}

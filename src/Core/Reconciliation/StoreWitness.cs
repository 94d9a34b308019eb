using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>
/// Lets nobody act on a store that shows nothing where the ledger has objects: a folder whose disk is not mounted, an emptied or another
/// bucket, a proxy that answers in the store's place. There every object looks gone, and what is stored now is hidden once the disk is
/// back.
/// </summary>
internal static class StoreWitness
{
    private const string Newest = """
        SELECT o.key, o.version_id
        FROM archiver.objects AS o
        WHERE o.location = $1 AND o.source = $2 AND o.state = 'stored' AND starts_with(o.key, $3)
        ORDER BY o.id DESC
        LIMIT 1
        """;

    /// <summary>One look at the listing, and where it is empty one at the newest object.</summary>
    /// <exception cref="ArchiverException">Nothing is there; kind Refused.</exception>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public static async Task RequireAsync(
        NpgsqlConnection connection,
        IArchiveReader store,
        SourceSettings source,
        CancellationToken cancellationToken
    )
    {
        var prefix = $"{source.Prefix}/";
        var newest = await connection.QueryAsync(
            Newest,
            row => new ObjectName(row.GetString(0), row.TextOrNull(1)),
            cancellationToken,
            PgParameter.Text(store.Location),
            PgParameter.Text(source.Name),
            PgParameter.Text(prefix)
        );
        if (newest is not [var name])
            return;
        await foreach (var _ in new AllObjects(store).ListAsync(prefix, cancellationToken))
            return;
        throw await store.HeadAsync(name, cancellationToken) is not null
            ? new StorageException(
                StorageFailure.Transient,
                $"{store.Location} has '{name.Key}' and lists nothing under '{prefix}': its "
                    + "listing is not true. Something between may answer in its place."
            )
            : new ArchiverException(
                FailureKind.Refused,
                $"{store.Location} holds nothing under '{prefix}', where the ledger has archives of source '{source.Name}', '{name.Key}' "
                    + "the last. Is the disk mounted, is this the bucket? Nothing was changed. Bring the objects back, or if they were "
                    + "moved say so: archiver ledger move"
            );
    }
}

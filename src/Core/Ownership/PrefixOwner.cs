using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Ownership;

/// <summary>
/// Whose a prefix is. A tombstone that a copy writes beside the original's archives erases the original's session: its runs would refuse,
/// and a second application of the tombstones would destroy what was never to be erased there.
/// </summary>
internal static class PrefixOwner
{
    // The oldest: what a copy stored itself came later.
    private const string Oldest = """
        SELECT o.key, o.version_id
        FROM archiver.objects AS o
        WHERE o.location = $1 AND o.source = $2 AND o.state = 'stored' AND o.key >= $3 AND o.key < $4
        ORDER BY o.id
        LIMIT 1
        """;

    /// <summary>Lets an erasure write its tombstones, or not.</summary>
    /// <exception cref="ArchiverException">The prefix has another database's tombstones or archives; kind Refused.</exception>
    /// <exception cref="StorageException">The store does not answer or refuses.</exception>
    public static async Task RequireAsync(
        NpgsqlConnection connection,
        IArchiveReader store,
        SourceSettings source,
        DatabaseIdentity database,
        CancellationToken cancellationToken
    )
    {
        var owner = new ObjectOwner(store, database);
        var key = await store.HeadAsync(new(TombstoneKey.ObjectKey(source.Prefix)), cancellationToken);
        var reason = key is null ? null : owner.WhyForeignPlace(key.Metadata);
        var oldest = await connection.QueryAsync(
            Oldest,
            row => new ObjectName(row.GetString(0), row.TextOrNull(1)),
            cancellationToken,
            PgParameter.Text(store.Location),
            PgParameter.Text(source.Name),
            PgParameter.Text($"{source.Prefix}/"),
            PgParameter.Text($"{source.Prefix}0")
        );
        if (reason is null && oldest is [var name])
            reason = await owner.WhyForeignAsync(name, cancellationToken);
        if (reason is not null)
            throw new ArchiverException(
                FailureKind.Refused,
                $"Nothing was erased: {store.Location}/{source.Prefix} has tombstones or archives of another database, and a tombstone "
                    + "written here would erase its sessions. "
                    + $"Of {oldest.FirstOrDefault()?.Key ?? TombstoneKey.ObjectKey(source.Prefix)}: {reason}. If this is a copy, give it a "
                    + $"bucket or a prefix of its own (Archiver:Sources:{source.Name}:Prefix)."
            );
    }
}

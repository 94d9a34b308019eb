using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Ownership;

/// <summary>
/// Gives everything that the ledger keeps under one name of a source to another: holds, pauses, acceptances, quarantine, archives, runs.
/// With the same name twice it says that the source's tables are others now.
/// </summary>
internal sealed class SourceRename(ArchiverSettings settings, ConnectionCatalog connections, IArchiveStore store, TimeProvider time)
{
    private const string Move = "SELECT archiver.rename_source($1, $2)";

    // The walk over the archive goes on; what the new name may have begun meanwhile is younger.
    private const string ClearProofs =
        "DELETE FROM archiver.proofs AS p WHERE p.source = $2 AND EXISTS (SELECT FROM archiver.proofs AS o "
        + "WHERE o.source = $1 AND o.proof = p.proof)";

    private const string MoveProofs = "UPDATE archiver.proofs AS p SET source = $2 WHERE p.source = $1";

    private const string MoveRequests = """
        WITH moved AS (DELETE FROM archiver.store_requests AS r WHERE r.source = $1 RETURNING r.since, r.requests)
        INSERT INTO archiver.store_requests AS r (source, since, requests) SELECT $2, m.since, m.requests FROM moved AS m
        ON CONFLICT (source) DO UPDATE SET since = least(r.since, excluded.since), requests = r.requests + excluded.requests
        """;

    /// <param name="old">The name in the ledger.</param>
    /// <param name="source">The configured source, under its new name.</param>
    /// <param name="who">Who says so, for the audit.</param>
    /// <param name="cancellationToken">Gives up; nothing is changed then.</param>
    /// <exception cref="ArchiverException">
    /// The ledger does not know the old name, it is another source's, or a worker runs on one of both.
    /// </exception>
    /// <exception cref="StorageException">The old name could not be noted in the bucket.</exception>
    public async Task ExecuteAsync(string old, SourceSettings source, string who, CancellationToken cancellationToken)
    {
        var pool = connections[source.Name];
        await using var connection = await pool.OpenAsync(cancellationToken);
        await RunScope.PrepareLedgerAsync(connection, settings.AutoMigrate, cancellationToken);
        var names = await SourceTables.NamesAsync(connection, cancellationToken);
        var former = Names.Canonical(old);
        if (!names.Contains(former))
            throw new ArchiverException(
                FailureKind.Failed,
                $"This ledger knows no source '{old}'. It knows: {string.Join(", ", names.DefaultIfEmpty("none"))}."
            );
        SourceLockKey[] keys =
        [
            .. new[] { former, source.Name }.Distinct().Order(StringComparer.Ordinal).Select(n => SourceLockKey.For(n, shard: 0)),
        ];
        await using var taken = await SourceLock.TryTakeAsync(pool, keys, source.Name, time, cancellationToken)
            ?? throw new ArchiverException(
                FailureKind.Refused,
                $"A worker runs on source '{old}' or '{source.Name}'. Stop it, and rename again."
            );
        await taken.WhileHeldAsync(token => RenameAsync(connection, old, former, source, taken.Lease, who, token), cancellationToken);
    }

    private async Task RenameAsync(
        NpgsqlConnection connection,
        string old,
        string former,
        SourceSettings source,
        Lease lease,
        string who,
        CancellationToken cancellationToken
    )
    {
        if (former != source.Name)
        {
            await RequireOldTablesAsync(connection, former, source, cancellationToken);
            // First: documents and tombstones in the bucket keep the old name, and a lost ledger must be able to tell whose they are.
            var (database, _) = await DatabaseIdentity.ReadAsync(connection, cancellationToken);
            await FormerNames.AddAsync(store, source, old, database, cancellationToken);
        }
        await MoveAsync(connection, former, source, lease, who, cancellationToken);
    }

    private async Task MoveAsync(
        NpgsqlConnection connection,
        string former,
        SourceSettings source,
        Lease lease,
        string who,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        foreach (var name in new[] { former, source.Name }.Distinct().Order(StringComparer.Ordinal))
            await HoldLock.TakeExclusiveAsync(connection, name, cancellationToken);
        await connection.ExecuteAsync(SourceRegistry.OneAtATime, cancellationToken);
        foreach (var sql in former != source.Name ? [Move, ClearProofs, MoveProofs, MoveRequests] : Array.Empty<string>())
            await connection.ExecuteAsync(sql, cancellationToken, PgParameter.Text(former), PgParameter.Text(source.Name));
        var mapped = await SourceTables.MappedAsync(connection, source.Map, cancellationToken);
        SourceRegistry.RefuseOtherName(source.Name, mapped, await SourceTables.KnownAsync(connection, cancellationToken));
        await SourceTables.WriteAsync(connection, source.Name, mapped, cancellationToken);
        await AuditLog.WriteAsync(connection, new(who, $"source rename {former}", source.Name), cancellationToken);
        await lease.CommitAsync(connections[source.Name], connection, transaction, cancellationToken);
    }

    /// <summary>
    /// A mistyped name must not give the holds of one source to another: the old one's session table is the new one's, or is gone.
    /// </summary>
    private static async Task RequireOldTablesAsync(
        NpgsqlConnection connection,
        string former,
        SourceSettings source,
        CancellationToken cancellationToken
    )
    {
        var mapped = await SourceTables.MappedAsync(connection, source.Map, cancellationToken);
        var known = await SourceTables.KnownAsync(connection, cancellationToken);
        if (
            known.FirstOrDefault(k =>
                k.Source == former && k is { IsSession: true, IsThere: true } && !mapped.Any(m => m.IsSession && k.Is(m))
            ) is
            { } other
        )
            throw new ArchiverException(
                FailureKind.Refused,
                $"Source '{former}' stands for table {other.Table}, which is not the session "
                    + $"table of '{source.Name}': it is another source. Nothing was changed."
            );
    }
}

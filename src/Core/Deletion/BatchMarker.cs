using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Verification;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// The short transaction of a policy whose rows stay, for good or for a time: what was verified is recorded as <c>stored</c> and marked in
/// the source's own columns, and no row is deleted. A session that is not as it was exported any more is dropped, as in a delete.
/// </summary>
internal sealed class BatchMarker(RunContext run, ArchiveLedger ledger, DatabaseRetry retry, string location, ITrialRestore? trial)
{
    /// <summary>The sessions that are stored now, and those that are not, with their reasons.</summary>
    /// <exception cref="ArchiverException">The lease is lost: nothing of the batch was marked, and nothing more may be.</exception>
    /// <exception cref="NpgsqlException">The server failed; nothing of the batch was marked.</exception>
    public async Task<StoredBatch> StoreAsync(VerifiedBatch batch, CancellationToken cancellationToken)
    {
        var (stored, surprise) = await TryAsync(batch, cancellationToken);
        if (stored is not null)
            return stored;
        if (batch.Sessions.Count < 2)
            return new([], [.. batch.Sessions.Select(s => new DroppedSession(s.Key, surprise!, Failed: true))]);
        var (first, second) = batch.Halve();
        return (await StoreAsync(first, cancellationToken)).And(await StoreAsync(second, cancellationToken));
    }

    private async Task<(StoredBatch? Stored, string? Surprise)> TryAsync(VerifiedBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            return await retry.ExecuteAsync(token => StoreOnceAsync(batch, token), cancellationToken) is { } stored
                ? (stored, null)
                : (null, DropReason.SideEffects);
        }
        catch (PostgresException exception) when (exception.IsAboutOneBatch() && !cancellationToken.IsCancellationRequested)
        {
            return (null, $"{DropReason.NotUpdated} ({exception.SqlState})");
        }
    }

    /// <summary>Null when the server did something else than mark these sessions; then it is rolled back.</summary>
    private Task<StoredBatch?> StoreOnceAsync(VerifiedBatch batch, CancellationToken cancellationToken) =>
        ShortTransaction.RunAsync(
            run,
            batch.Sessions.Sum(s => s.Session.Rows),
            batch.Sessions.Count == 1,
            transaction => StoreAsync(transaction, batch, cancellationToken),
            cancellationToken
        );

    private async Task<StoredBatch?> StoreAsync(ShortTransaction transaction, VerifiedBatch batch, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection;
        var statements = new DeleteStatements(run.Source.Map, batch.Export.Shape);
        var locks = new SessionLocks(run, connection, batch.Export.Shape, statements);
        if (await locks.LockTablesAsync(cancellationToken) is { } reason)
            return new([], [.. batch.Sessions.Select(s => new DroppedSession(s.Key, reason, Failed: false))]);
        var sessions = await VerifiedLocks.LockAsync(locks, statements, batch.Sessions, cancellationToken);
        foreach (var child in run.Source.Map.Children)
        {
            var now = await locks.ReadRowsAsync(child, sessions.Select(s => s.Key), cancellationToken);
            locks.Drop(
                sessions.Where(s => s.Session.Fingerprints[child.Name] != now.GetValueOrDefault(s.Key)).Select(s => s.Key),
                DropReason.Changed
            );
            sessions = [.. sessions.Where(s => s.Session.Fingerprints[child.Name] == now.GetValueOrDefault(s.Key))];
        }
        if (trial is not null)
        {
            var differing = await trial.FindDifferingAsync(connection, transaction.Transaction, sessions, cancellationToken);
            locks.Dropped.AddRange(differing.Select(k => new DroppedSession(k, DropReason.TrialFailed, Failed: true)));
            sessions = [.. sessions.Where(s => !differing.Contains(s.Key))];
        }

        if (await MarkAsync(connection, batch, sessions, cancellationToken) is not { } marked)
            return null;
        FaultPoint.Reach(FaultPoints.Marked);
        await DeletionRecords.WriteStoredAsync(connection, ledger, batch, marked, locks.Dropped, cancellationToken);
        FaultPoint.Reach(FaultPoints.StoredRecorded);
        await transaction.CommitAsync((other, token) => DeletionRecords.AreWrittenAsync(other, ledger, batch, token), cancellationToken);
        return new([.. marked.Select(m => m.Session)], locks.Dropped);
    }

    private async Task<IReadOnlyList<MarkedSession>?> MarkAsync(
        NpgsqlConnection connection,
        VerifiedBatch batch,
        IReadOnlyList<VerifiedSession> sessions,
        CancellationToken cancellationToken
    )
    {
        var marks = new SessionMarks(run.Source.Map, batch.Export.Shape);
        if (!marks.Exist)
            return [.. sessions.Select(s => new MarkedSession(s, s.Session.Fingerprints, null))];
        var guard = await SideEffectGuard.BeginAsync(connection, run.Source.Map, batch.Export.Shape, cancellationToken);
        var set = await marks.SetAsync(
            connection,
            [.. sessions.Select(s => (s.Key, $"{location}/{s.Copy.Object.Key}"))],
            cancellationToken
        );
        if (set.Count != sessions.Count || !await guard.HoldsForUpdateAsync(connection, set.Count, cancellationToken))
            return null;
        return
        [
            .. sessions.Select(s => new MarkedSession(
                s,
                new Dictionary<string, Fingerprint>(s.Session.Fingerprints) { [SourceMap.SessionName] = set[s.Key].Version },
                set[s.Key].Mark
            )),
        ];
    }
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Core.Verification;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// The short transaction that makes sessions wholly archived: lock, delete, compare, record, commit (docs/protocol.md rules 9 to 15). It
/// takes only what was verified. Before its commit every session is wholly live, after it wholly archived.
/// </summary>
/// <param name="trial">Compares copy and rows once more before the delete; null for what read-back alone verifies.</param>
/// <param name="replacement">Puts archived rows where the deleted ones were; null for a run that only archives.</param>
internal sealed class BatchDeleter(
    RunContext run,
    ArchiveLedger ledger,
    DatabaseRetry retry,
    ITrialRestore? trial = null,
    IReplacement? replacement = null
)
{
    /// <summary>
    /// Sessions that changed, are in use or are referenced stay; everything else of the batch is archived when this returns.
    /// </summary>
    /// <exception cref="ArchiverException">The lease is lost: nothing of the batch was deleted, and nothing more may be.</exception>
    /// <exception cref="NpgsqlException">The server failed; nothing of the batch was deleted.</exception>
    public async Task<DeletedBatch> DeleteAsync(VerifiedBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            return await retry.ExecuteAsync(token => DeleteOnceAsync(batch, token), cancellationToken);
        }
        catch (PostgresException exception)
            when (exception.IsAboutOneBatch() && batch.Sessions.Count > 0 && !cancellationToken.IsCancellationRequested)
        {
            // One session that is never done in time, for a trigger's sake or because somebody always waits for it, or that the server
            // refuses for whatever reason, must not stop the others run after run.
            if (batch.Sessions.Count == 1)
                return DeletedBatch.Committed([], [new(batch.Sessions[0].Key, DropReason.OfDelete(exception), Failed: true)]);
            var (first, second) = batch.Halve();
            return (await DeleteAsync(first, cancellationToken)).And(await DeleteAsync(second, cancellationToken));
        }
    }

    private Task<DeletedBatch> DeleteOnceAsync(VerifiedBatch batch, CancellationToken cancellationToken) =>
        ShortTransaction.RunAsync(
            run,
            batch.Sessions.Sum(s => s.Session.Rows),
            batch.Sessions.Count == 1,
            transaction => DeleteAsync(transaction, batch, cancellationToken),
            cancellationToken
        );

    private async Task<DeletedBatch> DeleteAsync(ShortTransaction transaction, VerifiedBatch batch, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection;
        var parts = batch.Sessions.Any(s => s.Session.Versions is not null);
        var statements = new DeleteStatements(run.Source.Map, batch.Export.Shape, parts ? Exported(batch) : null);
        var locks = new SessionLocks(run, connection, batch.Export.Shape, statements);
        if (await locks.LockTablesAsync(cancellationToken) is { } reason)
            return DeletedBatch.Committed([], [.. batch.Sessions.Select(s => new DroppedSession(s.Key, reason, Failed: false))]);
        var held = await VerifiedLocks.LockAsync(locks, statements, batch.Sessions, cancellationToken);

        FaultPoint.Reach(FaultPoints.SessionsLocked);
        if (trial is not null)
        {
            var differing = await trial.FindDifferingAsync(connection, transaction.Transaction, held, cancellationToken);
            locks.Dropped.AddRange(differing.Select(k => new DroppedSession(k, DropReason.TrialFailed, Failed: true)));
            held = [.. held.Where(s => !differing.Contains(s.Key))];
        }

        var rows = new RowDeletion(connection, transaction.Transaction, batch.Export.Shape, statements, replacement);
        await rows.DeleteAsync([.. held.Select(RowTarget.Of)], cancellationToken);
        var gone = rows.Deleted.Select(t => t.Key).ToHashSet(StringComparer.Ordinal);
        List<VerifiedSession> deleted = [.. held.Where(s => gone.Contains(s.Key))];
        List<DroppedSession> dropped = [.. locks.Dropped, .. rows.Dropped];
        FaultPoint.Reach(FaultPoints.RowsDeleted);
        await DeletionRecords.WriteAsync(connection, ledger, batch, deleted, dropped, cancellationToken);
        if (replacement is not null && deleted.Count > 0)
            await replacement.RecordAsync(connection, [.. deleted.Select(s => s.Key)], cancellationToken);
        FaultPoint.Reach(FaultPoints.DeleteRecorded);
        await transaction.CommitAsync((other, token) => IsRecordedAsync(other, batch, token), cancellationToken);
        replacement?.Committed([.. deleted.Select(s => s.Key)]);
        return DeletedBatch.Committed(deleted, dropped);
    }

    /// <summary>The messages of parts, by the versions that were exported.</summary>
    private ChosenMessages Exported(VerifiedBatch batch)
    {
        long[] versions = [.. batch.Sessions.SelectMany(s => s.Session.Versions!)];
        return new(run.Source.Map, parameters => parameters.Add(PgParameter.Bigints(versions)));
    }

    private Task<bool> IsRecordedAsync(NpgsqlConnection connection, VerifiedBatch batch, CancellationToken cancellationToken) =>
        batch.Stored is { } stored
            ? ArchiveLedger.AnyArchivedAsync(connection, batch.Sessions.Select(s => stored[s.Key].Id), cancellationToken)
            : DeletionRecords.AreWrittenAsync(connection, ledger, batch, cancellationToken);
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Verification;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// The short transaction that makes sessions wholly archived: lock, delete, compare, record, commit (PROTOCOL.md rules 9 to 15). It takes
/// only what was verified. Before its commit every session is wholly live, after it wholly archived.
/// </summary>
/// <param name="trial">Compares copy and rows once more before the delete; null for what read-back alone verifies.</param>
internal sealed class BatchDeleter(RunContext run, ArchiveLedger ledger, DatabaseRetry retry, ITrialRestore? trial = null)
{
    /// <summary>Sessions that changed, are in use or are referenced stay; everything else of the batch is archived when this returns.</summary>
    /// <exception cref="ArchiverException">The lease is lost: nothing of the batch was deleted, and nothing more may be.</exception>
    /// <exception cref="NpgsqlException">The server failed; nothing of the batch was deleted.</exception>
    public async Task<DeletedBatch> DeleteAsync(VerifiedBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            return await retry.ExecuteAsync(token => DeleteOnceAsync(batch, token), cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.IsStatementTimeout() && batch.Sessions.Count > 1 && !cancellationToken.IsCancellationRequested)
        {
            var (first, second) = batch.Halve();
            return (await DeleteAsync(first, cancellationToken).ConfigureAwait(false)).And(await DeleteAsync(second, cancellationToken).ConfigureAwait(false));
        }
    }

    private async Task<DeletedBatch> DeleteOnceAsync(VerifiedBatch batch, CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await SynchronousStandby.RequireAsync(connection, cancellationToken).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync($"{TransactionSettings.Common} {Timeouts(batch)}", cancellationToken).ConfigureAwait(false);
        var locks = new SessionLocks(run, connection, batch);
        if (await locks.LockTablesAsync(cancellationToken).ConfigureAwait(false) is { } reason)
            return DeletedBatch.Committed([], [.. batch.Sessions.Select(s => new DroppedSession(s.Key, reason, Failed: false))]);
        var (held, dropped) = await locks.LockSessionsAsync(cancellationToken).ConfigureAwait(false);

        FaultPoint.Reach(FaultPoints.SessionsLocked);        if (trial is not null)
        {
            var differing = await trial.FindDifferingAsync(connection, transaction, held, cancellationToken).ConfigureAwait(false);
            dropped.AddRange(differing.Select(k => new DroppedSession(k, DropReason.TrialFailed, Failed: true)));
            held = [.. held.Where(s => !differing.Contains(s.Key))];
        }

        var rows = new RowDeletion(connection, transaction, batch.Export.Shape, locks.Statements);
        await rows.DeleteAsync(held, cancellationToken).ConfigureAwait(false);
        dropped.AddRange(rows.Dropped);
        FaultPoint.Reach(FaultPoints.RowsDeleted);
        await DeletionRecords.WriteAsync(connection, ledger, batch, rows.Deleted, dropped, cancellationToken).ConfigureAwait(false);
        FaultPoint.Reach(FaultPoints.DeleteRecorded);

        // Last, as close to the commit as can be: a worker that slept, or a server that failed over, must find out here.
        if (!await run.Lease.IsHeldAsync(connection, cancellationToken).ConfigureAwait(false))
            throw new ArchiverException(FailureKind.Failed,
                $"The run's lock on source '{run.Source.Name}' was lost (server restarted or failed over, connection cut, or this worker was suspended). The batch in hand was rolled back; nothing of it was deleted.");
        FaultPoint.Reach(FaultPoints.DeleteReady);
        await new CommitOutcome(run, batch).CommitAsync(connection, transaction, cancellationToken).ConfigureAwait(false);
        return DeletedBatch.Committed(rows.Deleted, dropped);
    }

    private string Timeouts(VerifiedBatch batch)
    {
        var scale = Math.Max(1.0, (double)batch.Sessions.Sum(s => s.Session.Rows) / run.Batch.Rows);
        return TransactionSettings.Timeout("statement_timeout", run.Batch.StatementTimeout * scale)
            + TransactionSettings.Timeout("lock_timeout", run.Batch.LockTimeout)
            + TransactionSettings.Timeout("idle_in_transaction_session_timeout", run.Batch.StatementTimeout);
    }
}

using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Purge;

/// <summary>
/// Deletes without export what users have deleted long ago: sessions, or soft-deleted rows of sessions that stay. No copy is made, so
/// everything else is as strict as in the deletion of archived sessions: locked from the top down, judged again under the locks, exactly
/// the locked versions deleted, side effects counted, audited.
/// </summary>
internal sealed class Purger(RunContext run, DatabaseRetry retry) : IBatchAction
{
    // The session's copy, if there is one, is not of rows that are live any more. Its parts stay as they are: what they hold is in no other
    // archive, and a restore by id asks the rows whether the messages of a restored part are there.
    private const string Supersede = """
        UPDATE archiver.archives AS a
        SET state = 'superseded', reason = 'purged', ended_at = clock_timestamp()
        WHERE a.source = $1 AND a.session_id = ANY ($2) AND a.state IN ('stored', 'restored') AND NOT a.part
        """;

    private readonly RowChoice? _only = RowChoice.Of(run.Source, run.Shape, run.Policy, run.Cutoffs);

    public async Task<ChangedBatch> ApplyAsync(SelectedBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            return await retry.ExecuteAsync(token => PurgeOnceAsync(batch, token), cancellationToken);
        }
        catch (PostgresException exception) when (exception.IsAboutOneBatch() && !cancellationToken.IsCancellationRequested)
        {
            // One session that is never done in time, for a trigger's sake, or that the server refuses must not stop the others run after
            // run.
            if (batch.Sessions.Count == 1)
                return new([], 0, [new(batch.Sessions[0].Key, DropReason.OfDelete(exception), Failed: true)]);
            var (first, second) = batch.Halve();
            return (await ApplyAsync(first, cancellationToken)).And(await ApplyAsync(second, cancellationToken));
        }
    }

    private Task<ChangedBatch> PurgeOnceAsync(SelectedBatch batch, CancellationToken cancellationToken) =>
        ShortTransaction.RunAsync(
            run,
            batch.Rows,
            batch.Sessions.Count == 1,
            transaction => PurgeAsync(transaction, batch, cancellationToken),
            cancellationToken
        );

    private async Task<ChangedBatch> PurgeAsync(ShortTransaction transaction, SelectedBatch batch, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection;
        var statements = new DeleteStatements(run.Source.Map, run.Shape, _only);
        var locks = new SessionLocks(run, connection, run.Shape, statements);
        if (await locks.LockTablesAsync(cancellationToken) is { } reason)
            return new([], 0, batch.Dropped(reason));
        var targets = await LockAsync(connection, locks, batch, cancellationToken);
        FaultPoint.Reach(FaultPoints.PurgeLocked);

        var rows = new RowDeletion(connection, transaction.Transaction, run.Shape, statements);
        await rows.DeleteAsync(targets, cancellationToken);
        List<string> done = [.. rows.Deleted.Select(t => t.Key)];
        var deleted = rows.Deleted.Sum(t => t.Fingerprints.Values.Sum(f => f.Rows));
        if (done.Count > 0)
        {
            FaultPoint.Reach(FaultPoints.PurgeDeleted);
            if (statements.WholeSessions)
                await connection.ExecuteAsync(Supersede, cancellationToken, PgParameter.Text(run.Source.Name), PgParameter.Texts(done));
            FaultPoint.Reach(FaultPoints.PurgeSuperseded);
            await LifecycleRecords.WriteAsync(connection, run, "purge", done.Count, deleted, cancellationToken);
            FaultPoint.Reach(FaultPoints.PurgeRecorded);
            var entries = await LifecycleRecords.CountAsync(connection, run, cancellationToken);
            await transaction.CommitAsync(
                async (other, token) => await LifecycleRecords.CountAsync(other, run, token) >= entries,
                cancellationToken
            );
        }
        return new(done, deleted, [.. locks.Dropped, .. rows.Dropped]);
    }

    /// <summary>
    /// Locks every row that is to go, and only then asks the predicate again: a session or message that the user brought back or wrote just
    /// before is kept. What comes after the question differs from what is locked, and the delete finds that.
    /// </summary>
    private async Task<IReadOnlyList<RowTarget>> LockAsync(
        NpgsqlConnection connection,
        SessionLocks locks,
        SelectedBatch batch,
        CancellationToken cancellationToken
    )
    {
        var versions = await locks.LockSessionsAsync([.. batch.Sessions.Select(s => s.Key)], cancellationToken);
        FaultPoint.Reach(FaultPoints.PurgeSessionsLocked);
        var locked = await locks.LockAllRowsAsync(versions.Select(v => (v.Key, (long?)v.Value)), cancellationToken);
        var sessions = await locks.StillEligibleAsync([.. locked.Keys], cancellationToken);
        // The predicate knows the live row. An archive may be held although the row is not: no copy of what is to go would be left.
        var held = await HeldSessions.FindAsync(connection, run.Source, run.Shape, sessions, cancellationToken);
        locks.Drop(held, DropReason.Held);
        return RowTarget.WithoutCopy(sessions.Where(k => !held.Contains(k)).Select(k => KeyValuePair.Create(k, locked[k])));
    }
}

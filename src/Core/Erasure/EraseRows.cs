using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>
/// Deletes the live rows of sessions without a copy: erasure is one of the two named exceptions to the promise. As strict as every other
/// delete all the same: locked from the top down, exactly the locked versions deleted, side effects counted, holds and lease asked,
/// audited.
/// </summary>
internal sealed class EraseRows(RunContext run, DatabaseRetry retry, string who, string? reason)
{
    private const string Audited = "SELECT count(*) FROM archiver.audit AS a WHERE a.run_id = $1";

    /// <summary>Deletes what can be deleted; sessions without a live row are simply none.</summary>
    /// <returns>Rows deleted, and the sessions whose rows stay with the reason.</returns>
    public async Task<(long Rows, IReadOnlyList<DroppedSession> Dropped)> DeleteAsync(
        IReadOnlyList<string> sessions,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await retry.ExecuteAsync(token => DeleteOnceAsync(sessions, token), cancellationToken);
        }
        catch (PostgresException exception) when (exception.IsAboutOneBatch() && !cancellationToken.IsCancellationRequested)
        {
            if (sessions.Count == 1)
                return (0, [new(sessions[0], DropReason.OfDelete(exception), Failed: true)]);
            var first = await DeleteAsync([.. sessions.Take(sessions.Count / 2)], cancellationToken);
            var second = await DeleteAsync([.. sessions.Skip(sessions.Count / 2)], cancellationToken);
            return (first.Rows + second.Rows, [.. first.Dropped, .. second.Dropped]);
        }
    }

    private Task<(long Rows, IReadOnlyList<DroppedSession> Dropped)> DeleteOnceAsync(
        IReadOnlyList<string> sessions,
        CancellationToken cancellationToken
    ) =>
        ShortTransaction.RunAsync(
            run,
            run.Batch.Rows * 10L,
            sessions.Count == 1,
            transaction => DeleteAsync(transaction, sessions, cancellationToken),
            cancellationToken
        );

    private async Task<(long Rows, IReadOnlyList<DroppedSession> Dropped)> DeleteAsync(
        ShortTransaction transaction,
        IReadOnlyList<string> sessions,
        CancellationToken cancellationToken
    )
    {
        var connection = transaction.Connection;
        var statements = new DeleteStatements(run.Source.Map, run.Shape);
        var locks = new SessionLocks(run, connection, run.Shape, statements);
        if (await locks.LockTablesAsync(cancellationToken) is { } busy)
            return (0, [.. sessions.Select(s => new DroppedSession(s, busy, Failed: false))]);
        var versions = await locks.LockSessionsAsync(sessions, cancellationToken);
        // Without a foreign key, rows come to a session that is archived or deleted; they are the person's all the same.
        var gone = locks.Dropped.Where(d => d.Reason == DropReason.Gone).Select(d => d.Key).ToList();
        // An archive may be held although its live row is not: it was somebody else's then.
        var held = await HeldSessions.FindAsync(connection, run.Source, run.Shape, [.. versions.Keys, .. gone], cancellationToken);
        locks.Drop(held, DropReason.Held);
        var present = versions.Where(v => !held.Contains(v.Key)).Select(v => (v.Key, (long?)v.Value));
        var targets = RowTarget.WithoutCopy(await locks.LockAllRowsAsync(present, cancellationToken));
        var absent = gone.Where(k => !held.Contains(k)).Select(k => (k, (long?)null));
        var late = RowTarget.WithoutCopy(await locks.LockAllRowsAsync(absent, cancellationToken));
        FaultPoint.Reach(FaultPoints.EraseRowsLocked);

        var deletion = new RowDeletion(connection, transaction.Transaction, run.Shape, statements);
        await deletion.DeleteAsync(targets, cancellationToken);
        var lateDeletion = new RowDeletion(connection, transaction.Transaction, run.Shape, new(run.Source.Map, run.Shape, late: true));
        await lateDeletion.DeleteAsync(late, cancellationToken);
        List<RowTarget> deleted = [.. deletion.Deleted, .. lateDeletion.Deleted];
        var rows = deleted.Sum(t => t.Fingerprints.Values.Sum(f => f.Rows));
        if (deleted.Count > 0)
        {
            await RunJournal.CountAsync(connection, run.Id, new(Sessions: 0, rows), cancellationToken);
            var counts = new Dictionary<string, long> { ["live_sessions"] = deletion.Deleted.Count, ["rows"] = rows };
            await AuditLog.WriteAsync(
                connection,
                new(who, Eraser.Name, run.Source.Name, RunId: run.Id, Reason: reason, Counts: counts),
                cancellationToken
            );
            var entries = await connection.ScalarAsync<long>(Audited, cancellationToken, PgParameter.Uuid(run.Id));
            FaultPoint.Reach(FaultPoints.EraseRowsDeleted);
            await transaction.CommitAsync(
                async (other, token) => await other.ScalarAsync<long>(Audited, token, PgParameter.Uuid(run.Id)) >= entries,
                cancellationToken
            );
            FaultPoint.Reach(FaultPoints.EraseRowsCommitted);
        }
        return (rows, [.. locks.Dropped.Where(d => d.Reason != DropReason.Gone), .. deletion.Dropped, .. lateDeletion.Dropped]);
    }

    /// <summary>
    /// Sessions that have rows again, or still: without a foreign key the application could write while the others were deleted.
    /// </summary>
    public async Task<IReadOnlyList<string>> LeftAsync(IReadOnlyList<string> sessions, CancellationToken cancellationToken)
    {
        var statements = new DeleteStatements(run.Source.Map, run.Shape);
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        var left = await SessionLocks.ExistingAsync(connection, statements, sessions, cancellationToken);
        foreach (var child in run.Source.Map.Children)
            left.UnionWith(
                (await SessionLocks.FingerprintsAsync(connection, statements.ReadRows(child, sessions), cancellationToken)).Keys
            );
        return [.. left];
    }
}

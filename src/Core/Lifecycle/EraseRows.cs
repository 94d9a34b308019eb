using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Lifecycle;

/// <summary>
/// Deletes the live rows of sessions without a copy: erasure is one of the two named exceptions to the promise. As strict as every other
/// delete all the same: locked from the top down, exactly the locked versions deleted, side effects counted, holds and lease asked, audited.
/// </summary>
internal sealed class EraseRows(RunContext run, DatabaseRetry retry, string who, string? reason)
{
    private const string Audited = "SELECT count(*) FROM archiver.audit AS a WHERE a.run_id = $1";

    private const string Count = "UPDATE archiver.runs SET rows_deleted = rows_deleted + $2 WHERE id = $1";

    /// <summary>Deletes what can be deleted; sessions without a live row are simply none.</summary>
    /// <returns>Rows deleted, and the sessions whose rows stay with the reason.</returns>
    public async Task<(long Rows, IReadOnlyList<DroppedSession> Dropped)> DeleteAsync(IReadOnlyList<string> sessions, CancellationToken cancellationToken)
    {
        try
        {
            return await retry.ExecuteAsync(token => DeleteOnceAsync(sessions, token), cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.IsStatementTimeout() && !cancellationToken.IsCancellationRequested)
        {
            if (sessions.Count == 1)
                return (0, [new(sessions[0], DropReason.TooSlow, Failed: true)]);
            var first = await DeleteAsync([.. sessions.Take(sessions.Count / 2)], cancellationToken).ConfigureAwait(false);
            var second = await DeleteAsync([.. sessions.Skip(sessions.Count / 2)], cancellationToken).ConfigureAwait(false);
            return (first.Rows + second.Rows, [.. first.Dropped, .. second.Dropped]);
        }
    }

    private Task<(long Rows, IReadOnlyList<DroppedSession> Dropped)> DeleteOnceAsync(IReadOnlyList<string> sessions, CancellationToken cancellationToken) => ShortTransaction.RunAsync(
        run, run.Batch.Rows * 10L, sessions.Count == 1, transaction => DeleteAsync(transaction, sessions, cancellationToken), cancellationToken);

    private async Task<(long Rows, IReadOnlyList<DroppedSession> Dropped)> DeleteAsync(ShortTransaction transaction, IReadOnlyList<string> sessions, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection;
        var statements = new DeleteStatements(run.Source.Map, run.Shape);
        var locks = new SessionLocks(run, connection, run.Shape, statements);
        if (await locks.LockTablesAsync(cancellationToken).ConfigureAwait(false) is { } busy)
            return (0, [.. sessions.Select(s => new DroppedSession(s, busy, Failed: false))]);
        var versions = await locks.LockSessionsAsync(sessions, cancellationToken).ConfigureAwait(false);
        // An archive may be held although its live row is not: it was somebody else's then.
        var held = await HeldSessions.FindAsync(connection, run.Source, run.Shape, [.. versions.Keys], cancellationToken).ConfigureAwait(false);
        locks.Drop(held, DropReason.Held);
        var targets = await LockRowsAsync(locks, statements, versions.Where(v => !held.Contains(v.Key)).ToDictionary(StringComparer.Ordinal), cancellationToken).ConfigureAwait(false);
        FaultPoint.Reach(FaultPoints.EraseRowsLocked);

        var deletion = new RowDeletion(connection, transaction.Transaction, run.Shape, statements);
        await deletion.DeleteAsync(targets, cancellationToken).ConfigureAwait(false);
        var rows = deletion.Deleted.Sum(t => t.Fingerprints.Values.Sum(f => f.Rows));
        if (deletion.Deleted.Count > 0)
        {
            await connection.ExecuteAsync(Count, cancellationToken, PgParameter.Uuid(run.Id), PgParameter.Bigint(rows)).ConfigureAwait(false);
            var counts = new Dictionary<string, long> { ["live_sessions"] = deletion.Deleted.Count, ["rows"] = rows };
            await AuditLog.WriteAsync(connection, new(who, Eraser.Name, run.Source.Name, null, run.Id, reason, counts), cancellationToken).ConfigureAwait(false);
            var entries = await connection.ScalarAsync<long>(Audited, cancellationToken, PgParameter.Uuid(run.Id)).ConfigureAwait(false);
            FaultPoint.Reach(FaultPoints.EraseRowsDeleted);
            await transaction.CommitAsync(
                async (other, token) => await other.ScalarAsync<long>(Audited, token, PgParameter.Uuid(run.Id)).ConfigureAwait(false) >= entries, cancellationToken).ConfigureAwait(false);
            FaultPoint.Reach(FaultPoints.EraseRowsCommitted);
        }
        return (rows, [.. locks.Dropped.Where(d => d.Reason != DropReason.Gone), .. deletion.Dropped]);
    }

    private static async Task<IReadOnlyList<RowTarget>> LockRowsAsync(
        SessionLocks locks, DeleteStatements statements, Dictionary<string, long> versions, CancellationToken cancellationToken)
    {
        var fingerprints = versions.ToDictionary(v => v.Key, v => new Dictionary<string, Fingerprint> { [SourceMap.SessionName] = default(Fingerprint).Add(v.Value) }, StringComparer.Ordinal);
        IReadOnlyList<string> sessions = [.. versions.Keys];
        foreach (var child in statements.TopDown)
        {
            var locked = await locks.LockRowsAsync(child, sessions, cancellationToken).ConfigureAwait(false);
            var found = await locks.ReadRowsAsync(child, sessions, cancellationToken).ConfigureAwait(false);
            // A row that is there and was not locked is in somebody's hands.
            locks.Drop(sessions.Where(k => locked.GetValueOrDefault(k) != found.GetValueOrDefault(k)), DropReason.Locked);
            sessions = [.. sessions.Where(k => locked.GetValueOrDefault(k) == found.GetValueOrDefault(k))];
            foreach (var key in sessions)
                fingerprints[key][child.Name] = locked.GetValueOrDefault(key);
        }
        return [.. sessions.Select(k => RowTarget.WithoutCopy(k, fingerprints[k]))];
    }
}

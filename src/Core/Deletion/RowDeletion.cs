using System.Data;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// The deleting part of the short transaction: deletes, compares versions, and rolls back to a savepoint whatever surprises it, so that one
/// session that changed, is in use or is referenced costs the batch nothing but that session. The caller has locked the sessions.
/// </summary>
internal sealed class RowDeletion(
    NpgsqlConnection connection,
    NpgsqlTransaction transaction,
    SourceShape shape,
    DeleteStatements statements,
    IReplacement? replacement = null
)
{
    private const string Savepoint = "batch";

    /// <summary>"tuple to be deleted was already modified by an operation triggered by the current command"</summary>
    private const string ModifiedByTrigger = "27000";

    /// <summary>Times that one set of sessions is tried again after a lock timeout that left nothing locked to find.</summary>
    private const int MaxLockWaits = 3;

    // For the rest of the batch: the tables' triggers are the same for all of it.
    private bool _sessionsFirst;

    /// <summary>Sessions left in the database, with their reasons.</summary>
    public List<DroppedSession> Dropped { get; } = [];

    /// <summary>Sessions whose rows this transaction deleted.</summary>
    public List<RowTarget> Deleted { get; } = [];

    /// <summary>Deletes what can be deleted of the sessions; the outcome is in <see cref="Deleted"/> and <see cref="Dropped"/>.</summary>
    /// <exception cref="PostgresException">An error that says nothing about a single session; the transaction is lost.</exception>
    public async Task DeleteAsync(IReadOnlyList<RowTarget> sessions, CancellationToken cancellationToken)
    {
        for (var lockWaits = 0; sessions.Count > 0; )
        {
            await transaction.SaveAsync(Savepoint, cancellationToken);
            var attempt = await TryAsync(sessions, cancellationToken);
            if (attempt is DeleteAttempt.Done)
            {
                await transaction.ReleaseAsync(Savepoint, cancellationToken);
                Deleted.AddRange(sessions);
                return;
            }
            await transaction.RollbackAsync(Savepoint, cancellationToken);
            await transaction.ReleaseAsync(Savepoint, cancellationToken);
            if (attempt is DeleteAttempt.LockTimeout && await LockedAsync(sessions, cancellationToken) is { Count: > 0 } locked)
                attempt = new DeleteAttempt.Differs(locked, DropReason.Locked);
            switch (attempt)
            {
                case DeleteAttempt.Differs differs:
                    Drop(sessions.Where(s => differs.Keys.Contains(s.Key)), differs.Reason, failed: false);
                    sessions = [.. sessions.Where(s => !differs.Keys.Contains(s.Key))];
                    break;
                case DeleteAttempt.Again:
                    break;
                case DeleteAttempt.LockTimeout when ++lockWaits < MaxLockWaits:
                    break;
                case DeleteAttempt.LockTimeout:
                    Drop(sessions, DropReason.Locked, failed: false);
                    return;
                case DeleteAttempt.Refused refused when sessions.Count == 1:
                    var referenced =
                        refused.Reason is DropReason.SideEffects or DropReason.Referenced
                        && await IsReferencedAsync(sessions, cancellationToken);
                    Drop(sessions, referenced ? DropReason.Referenced : refused.Reason, refused.Failed && !referenced);
                    return;
                case DeleteAttempt.Refused:
                    await DeleteAsync([.. sessions.Take(sessions.Count / 2)], cancellationToken);
                    sessions = [.. sessions.Skip(sessions.Count / 2)];
                    break;
                default:
                    throw new InvalidOperationException($"Unknown outcome {attempt}.");
            }
        }
    }

    private async Task<DeleteAttempt> TryAsync(IReadOnlyList<RowTarget> sessions, CancellationToken cancellationToken)
    {
        try
        {
            var guard = await SideEffectGuard.BeginAsync(connection, statements.Map, shape, cancellationToken);
            var deleted = await DeleteRowsAsync(sessions, cancellationToken);
            foreach (var child in statements.DeepestFirst)
            {
                if (deleted.Differing(sessions, child) is { Count: > 0 } changed)
                    return new DeleteAttempt.Differs(changed, DropReason.Changed);
            }
            if (statements.SessionRows && deleted.Kept(sessions) is { Count: > 0 } kept)
                return new DeleteAttempt.Differs(kept, DropReason.NotDeleted);
            // Where no session row holds writers up, a message may have been committed while the others were being deleted.
            if (
                statements.WholeSessions
                && !statements.SessionRows
                && await SessionLocks.ExistingAsync(connection, statements, Keys(sessions), cancellationToken) is { Count: > 0 } left
            )
                return new DeleteAttempt.Differs(left, DropReason.Changed);
            await connection.ExecuteAsync(ApplicationPath.FireAndLeave, cancellationToken);
            if (!await guard.HoldsAsync(connection, deleted.Count, statements.WholeSessions ? null : Keys(sessions), cancellationToken))
                return new DeleteAttempt.Refused(DropReason.SideEffects, Failed: true);
            return
                replacement is not null
                && await replacement.InsertAsync(connection, transaction, [.. Keys(sessions)], cancellationToken) is { Count: > 0 } refused
                ? new DeleteAttempt.Differs([.. refused], DropReason.NotReplaced)
                : new DeleteAttempt.Done();
        }
        catch (PostgresException exception) when (exception.SqlState == ModifiedByTrigger && !_sessionsFirst)
        {
            _sessionsFirst = true;
            return new DeleteAttempt.Again();
        }
        catch (PostgresException exception) when (exception.IsLockTimeout())
        {
            return new DeleteAttempt.LockTimeout();
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.ForeignKeyViolation && !exception.IsRaised())
        {
            // Selection leaves out what it sees referenced. What it does not see, in a table that it may not read or by a key that it does
            // not know, would have a session stored night after night.
            return new DeleteAttempt.Refused(
                DropReason.Referenced,
                Failed: statements.WholeSessions || shape.References.Any(r => !r.Readable)
            );
        }
        catch (PostgresException exception)
            when (!PgErrors.IsTransient(exception)
                && (exception.IsRaised() || !exception.IsStatementTimeout())
                && connection.State == ConnectionState.Open
            )
        {
            // Whatever the code: the application's triggers have their own. At some the driver gives the connection up; then the caller
            // takes halves.
            return new DeleteAttempt.Refused($"{DropReason.NotDeleted} ({exception.SqlState})", Failed: true);
        }
    }

    private async Task<DeletedRows> DeleteRowsAsync(IReadOnlyList<RowTarget> sessions, CancellationToken cancellationToken)
    {
        List<string> tables = [.. statements.DeepestFirst.Select(c => c.Name), SourceMap.SessionName];
        var (sql, parameters) = statements.Delete(Keys(sessions), _sessionsFirst);
        var rows = await connection.QueryAsync(
            sql,
            row =>
                (Table: tables[row.GetInt32(0)], Key: row.GetString(1), Fingerprint: Fingerprint.Parse(row.GetInt64(2), row.GetString(3))),
            cancellationToken,
            parameters
        );
        return new(shape, tables, rows);
    }

    private Task<Dictionary<string, Fingerprint>> FingerprintsAsync(
        (string Sql, NpgsqlParameter[] Parameters) statement,
        CancellationToken cancellationToken
    ) => SessionLocks.FingerprintsAsync(connection, statement, cancellationToken);

    private static IEnumerable<string> Keys(IReadOnlyList<RowTarget> sessions) => sessions.Select(s => s.Key);

    /// <summary>Sessions with a row that somebody else has locked, found without waiting.</summary>
    private async Task<HashSet<string>> LockedAsync(IReadOnlyList<RowTarget> sessions, CancellationToken cancellationToken)
    {
        HashSet<string> locked = [];
        foreach (var child in statements.DeepestFirst)
        {
            var free = await FingerprintsAsync(statements.LockRows(child, Keys(sessions)), cancellationToken);
            locked.UnionWith(sessions.Where(s => free.GetValueOrDefault(s.Key).Rows < s.Fingerprints[child.Name].Rows).Select(s => s.Key));
        }
        return locked;
    }

    /// <summary>
    /// Whether a row that stays has come to point to a session since selection looked: a key may then have changed that row, and what it
    /// changed is rolled back.
    /// </summary>
    private async Task<bool> IsReferencedAsync(IReadOnlyList<RowTarget> sessions, CancellationToken cancellationToken) =>
        new ReferenceSql(statements.Map, shape).Among() is { } sql
        && (await connection.QueryAsync(sql, row => row.GetString(0), cancellationToken, PgParameter.Texts(Keys(sessions)))).Count > 0;

    private void Drop(IEnumerable<RowTarget> sessions, string reason, bool failed) =>
        Dropped.AddRange(sessions.Select(s => new DroppedSession(s.Key, reason, failed)));
}

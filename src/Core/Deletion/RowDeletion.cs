using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// The deleting part of the short transaction: deletes, compares versions, and rolls back to a savepoint whatever surprises it, so that one
/// session that changed, is in use or is referenced costs the batch nothing but that session. The caller has locked the sessions.
/// </summary>
internal sealed class RowDeletion(
    NpgsqlConnection connection, NpgsqlTransaction transaction, SourceShape shape, DeleteStatements statements, IReplacement? replacement = null)
{
    private const string Savepoint = "batch";

    /// <summary>Times that one set of sessions is tried again after a lock timeout that left nothing locked to find.</summary>
    private const int MaxLockWaits = 3;

    /// <summary>Sessions left in the database, with their reasons.</summary>
    public List<DroppedSession> Dropped { get; } = [];

    /// <summary>Sessions whose rows this transaction deleted.</summary>
    public List<RowTarget> Deleted { get; } = [];

    /// <summary>Deletes what can be deleted of the sessions; the outcome is in <see cref="Deleted"/> and <see cref="Dropped"/>.</summary>
    /// <exception cref="PostgresException">An error that says nothing about a single session; the transaction is lost.</exception>
    public async Task DeleteAsync(IReadOnlyList<RowTarget> sessions, CancellationToken cancellationToken)
    {
        for (var lockWaits = 0; sessions.Count > 0;)
        {
            await transaction.SaveAsync(Savepoint, cancellationToken).ConfigureAwait(false);
            var attempt = await TryAsync(sessions, cancellationToken).ConfigureAwait(false);
            if (attempt is Attempt.Done)
            {
                await transaction.ReleaseAsync(Savepoint, cancellationToken).ConfigureAwait(false);
                Deleted.AddRange(sessions);
                return;
            }
            await transaction.RollbackAsync(Savepoint, cancellationToken).ConfigureAwait(false);
            await transaction.ReleaseAsync(Savepoint, cancellationToken).ConfigureAwait(false);
            if (attempt is Attempt.LockTimeout && await LockedAsync(sessions, cancellationToken).ConfigureAwait(false) is { Count: > 0 } locked)
                attempt = new Attempt.Differs(locked, DropReason.Locked);
            switch (attempt)
            {
                case Attempt.Differs differs:
                    Drop(sessions.Where(s => differs.Keys.Contains(s.Key)), differs.Reason, failed: false);
                    sessions = [.. sessions.Where(s => !differs.Keys.Contains(s.Key))];
                    break;
                case Attempt.LockTimeout when ++lockWaits < MaxLockWaits:
                    break;
                case Attempt.LockTimeout:
                    Drop(sessions, DropReason.Locked, failed: false);
                    return;
                case Attempt.Refused refused when sessions.Count == 1:
                    Drop(sessions, refused.Reason, refused.Failed);
                    return;
                case Attempt.Refused:
                    await DeleteAsync([.. sessions.Take(sessions.Count / 2)], cancellationToken).ConfigureAwait(false);
                    sessions = [.. sessions.Skip(sessions.Count / 2)];
                    break;
                default:
                    throw new InvalidOperationException($"Unknown outcome {attempt}.");
            }
        }
    }

    private async Task<Attempt> TryAsync(IReadOnlyList<RowTarget> sessions, CancellationToken cancellationToken)
    {
        try
        {
            var guard = await SideEffectGuard.BeginAsync(connection, shape, cancellationToken).ConfigureAwait(false);
            var rows = 0L;
            foreach (var child in statements.DeepestFirst)
            {
                var deleted = await FingerprintsAsync(statements.DeleteRows(child, Keys(sessions)), cancellationToken).ConfigureAwait(false);
                if (Differing(sessions, child, deleted) is { Count: > 0 } changed)
                    return new Attempt.Differs(changed, DropReason.Changed);
                rows += deleted.Values.Sum(f => f.Rows);
            }
            FaultPoint.Reach(FaultPoints.ChildrenDeleted);
            if (statements.WholeSessions)
            {
                if (await DeleteSessionsAsync(sessions, cancellationToken).ConfigureAwait(false) is { Count: > 0 } kept)
                    return new Attempt.Differs(kept, DropReason.NotDeleted);
                rows += sessions.Count;
            }
            await connection.ExecuteAsync("SET CONSTRAINTS ALL IMMEDIATE", cancellationToken).ConfigureAwait(false);
            if (!await guard.HoldsAsync(connection, rows, cancellationToken).ConfigureAwait(false))
                return new Attempt.Refused(DropReason.SideEffects, Failed: true);
            return replacement is not null
                && await replacement.InsertAsync(connection, transaction, [.. Keys(sessions)], cancellationToken).ConfigureAwait(false) is { Count: > 0 } refused
                    ? new Attempt.Differs([.. refused], DropReason.NotReplaced)
                    : new Attempt.Done();
        }
        catch (PostgresException exception) when (exception.IsLockTimeout())
        {
            return new Attempt.LockTimeout();
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            return new Attempt.Refused(DropReason.Referenced, Failed: false);
        }
        catch (PostgresException exception) when (exception.IsAboutRows())
        {
            return new Attempt.Refused($"{DropReason.NotDeleted} ({exception.SqlState})", Failed: true);
        }
    }

    /// <summary>Deletes the session rows; returns the keys of those that are still there.</summary>
    private async Task<HashSet<string>> DeleteSessionsAsync(IReadOnlyList<RowTarget> sessions, CancellationToken cancellationToken)
    {
        var keys = await connection.QueryAsync(
            statements.DeleteSessions, row => row.GetString(0), cancellationToken, PgParameter.Texts(sessions.Select(s => s.Key))).ConfigureAwait(false);
        HashSet<string> kept = [.. sessions.Select(s => s.Key).Except(keys)];
        if (kept.Count == 0 && keys.Count != sessions.Count)
            throw new ArchiverException(FailureKind.Refused, $"The session key of {shape.Session.Table} is not unique: the delete hit rows of other sessions. It was rolled back.");
        return kept;
    }

    private Task<Dictionary<string, Fingerprint>> FingerprintsAsync((string Sql, NpgsqlParameter[] Parameters) statement, CancellationToken cancellationToken) =>
        SessionLocks.FingerprintsAsync(connection, statement, cancellationToken);

    private static IEnumerable<string> Keys(IReadOnlyList<RowTarget> sessions) => sessions.Select(s => s.Key);

    private static HashSet<string> Differing(IReadOnlyList<RowTarget> sessions, ChildTable child, Dictionary<string, Fingerprint> found) =>
        [.. sessions.Where(s => s.Fingerprints[child.Name] != found.GetValueOrDefault(s.Key)).Select(s => s.Key)];

    /// <summary>Sessions with a row that somebody else has locked, found without waiting.</summary>
    private async Task<HashSet<string>> LockedAsync(IReadOnlyList<RowTarget> sessions, CancellationToken cancellationToken)
    {
        HashSet<string> locked = [];
        foreach (var child in statements.DeepestFirst)
        {
            var free = await FingerprintsAsync(statements.LockRows(child, Keys(sessions)), cancellationToken).ConfigureAwait(false);
            locked.UnionWith(sessions.Where(s => free.GetValueOrDefault(s.Key).Rows < s.Fingerprints[child.Name].Rows).Select(s => s.Key));
        }
        return locked;
    }

    private void Drop(IEnumerable<RowTarget> sessions, string reason, bool failed) =>
        Dropped.AddRange(sessions.Select(s => new DroppedSession(s.Key, reason, failed)));

    /// <summary>How one try at a set of sessions ended.</summary>
    private abstract record Attempt
    {
        public sealed record Done : Attempt;

        /// <summary>These sessions are not as they were exported, or are in use; the others may be tried again.</summary>
        public sealed record Differs(HashSet<string> Keys, string Reason) : Attempt;

        /// <summary>A lock did not come in time; which session it was is not known yet.</summary>
        public sealed record LockTimeout : Attempt;

        /// <summary>Some session of the set is refused; halving finds it.</summary>
        public sealed record Refused(string Reason, bool Failed) : Attempt;
    }
}

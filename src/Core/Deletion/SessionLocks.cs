using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Verification;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// The locking part of the short transaction, from the top down: tables, holds, sessions, then rows that have rows below them. Locking
/// comes in statements of its own: a delete that also locks would judge by a snapshot older than its locks.
/// </summary>
internal sealed class SessionLocks(RunContext run, NpgsqlConnection connection, VerifiedBatch batch)
{
    private readonly SourceShape _shape = batch.Export.Shape;

    public DeleteStatements Statements { get; } = new(run.Source.Map, batch.Export.Shape);

    /// <summary>Keeps DDL away; the reason to leave the whole batch alone when somebody holds a table or one is no longer as it was exported, else null.</summary>
    public async Task<string?> LockTablesAsync(CancellationToken cancellationToken)
    {
        try
        {
            await connection.ExecuteAsync(ExportStatements.LockTables(run.Source.Map, "ROW EXCLUSIVE"), cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.IsLockTimeout())
        {
            return DropReason.Locked;
        }
        // A column added or a trigger created since the export changes no row version, so no fingerprint would show it.
        var hashes = await TableDescriber.HashesAsync(connection, _shape.Tables.Select(t => t.Oid), cancellationToken).ConfigureAwait(false);
        return _shape.Tables.All(t => hashes.GetValueOrDefault(t.Oid) == t.Hash) ? null : DropReason.TableChanged;
    }

    /// <summary>Sessions that are locked for this transaction and still as they were exported, and those that are not, with their reasons.</summary>
    public async Task<(IReadOnlyList<VerifiedSession> Held, List<DroppedSession> Dropped)> LockSessionsAsync(CancellationToken cancellationToken)
    {
        List<DroppedSession> dropped = [];
        await HoldLock.TakeSharedAsync(connection, run.Source.Name, cancellationToken).ConfigureAwait(false);
        var sessions = await LockRowsOfSessionsAsync(batch.Sessions, dropped, cancellationToken).ConfigureAwait(false);
        sessions = await WithoutHeldAsync(sessions, dropped, cancellationToken).ConfigureAwait(false);
        foreach (var parent in Statements.Parents)
        {
            var locked = (await connection.QueryAsync(
                Statements.LockRows(parent), row => (Key: row.GetString(0), Fingerprint: Fingerprint.Parse(row.GetInt64(1), row.GetString(2))),
                cancellationToken, Keys(sessions)).ConfigureAwait(false)).ToDictionary(r => r.Key, r => r.Fingerprint, StringComparer.Ordinal);
            sessions = Keep(sessions, s => locked.GetValueOrDefault(s.Key) == s.Session.Fingerprints[parent.Name], DropReason.Changed, dropped);
        }
        return (sessions, dropped);
    }

    private async Task<IReadOnlyList<VerifiedSession>> LockRowsOfSessionsAsync(
        IReadOnlyList<VerifiedSession> sessions, List<DroppedSession> dropped, CancellationToken cancellationToken)
    {
        var locked = (await connection.QueryAsync(
            Statements.LockSessions, row => (Key: row.GetString(0), Hash: row.GetInt64(1)), cancellationToken, Keys(sessions)).ConfigureAwait(false))
            .ToDictionary(r => r.Key, r => r.Hash, StringComparer.Ordinal);
        if (locked.Count < sessions.Count)
        {
            var existing = (await connection.QueryAsync(Statements.Existing, row => row.GetString(0), cancellationToken, Keys(sessions)).ConfigureAwait(false)).ToHashSet(StringComparer.Ordinal);
            sessions = Keep(sessions, s => existing.Contains(s.Key), DropReason.Gone, dropped);
            sessions = Keep(sessions, s => locked.ContainsKey(s.Key), DropReason.Locked, dropped);
        }
        return Keep(sessions, s => s.Session.Fingerprints["session"] == default(Fingerprint).Add(locked[s.Key]), DropReason.Changed, dropped);
    }

    // Asked again under the hold lock: a hold that was added since the selection counts.
    private async Task<IReadOnlyList<VerifiedSession>> WithoutHeldAsync(
        IReadOnlyList<VerifiedSession> sessions, List<DroppedSession> dropped, CancellationToken cancellationToken)
    {
        var parameters = new SqlParameters();
        var sql = Statements.NotHeld(run.Source, parameters, sessions.Select(s => s.Key));
        var free = (await connection.QueryAsync(sql, row => row.GetString(0), cancellationToken, parameters.ToArray()).ConfigureAwait(false)).ToHashSet(StringComparer.Ordinal);
        return Keep(sessions, s => free.Contains(s.Key), DropReason.Held, dropped);
    }

    private static List<VerifiedSession> Keep(
        IReadOnlyList<VerifiedSession> sessions, Func<VerifiedSession, bool> keep, string reason, List<DroppedSession> dropped)
    {
        dropped.AddRange(sessions.Where(s => !keep(s)).Select(s => new DroppedSession(s.Key, reason, Failed: false)));
        return [.. sessions.Where(keep)];
    }

    private static NpgsqlParameter Keys(IEnumerable<VerifiedSession> sessions) => PgParameter.Texts(sessions.Select(s => s.Key));
}

using Archiver.Core.Export;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Verification;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// The locking part of every short transaction, from the top down: tables, holds, sessions, then rows that have rows below them. Locking
/// comes in statements of its own: a delete that also locks would judge by a snapshot older than its locks.
/// </summary>
internal sealed class SessionLocks(RunContext run, NpgsqlConnection connection, SourceShape shape, DeleteStatements statements)
{
    /// <summary>Sessions that stay, with their reasons.</summary>
    public List<DroppedSession> Dropped { get; } = [];

    /// <summary>
    /// Keeps DDL away, and holds that are added later; the reason to leave the whole batch alone when somebody holds a table, a hold is
    /// being added or a table is no longer as it was described, else null.
    /// </summary>
    public async Task<string?> LockTablesAsync(CancellationToken cancellationToken)
    {
        try
        {
            await connection.ExecuteAsync(ExportStatements.LockTables(run.Source.Map, "ROW EXCLUSIVE"), cancellationToken);
        }
        catch (PostgresException exception) when (exception.IsLockTimeout())
        {
            return DropReason.Locked;
        }
        try
        {
            await HoldLock.TakeSharedAsync(connection, run.Source.Name, run.Batch, cancellationToken);
        }
        catch (PostgresException exception) when (exception.IsLockTimeout())
        {
            return DropReason.HoldInFlight;
        }
        // A column added or a trigger created since then changes no row version, so no fingerprint would show it.
        return await TableDescriber.AreAsDescribedAsync(connection, shape, cancellationToken) ? null : DropReason.TableChanged;
    }

    /// <summary>
    /// Locks the sessions that are there, that nobody else has locked and that no hold covers, and returns the hashes of their versions.
    /// Holds are read under the hold lock, which <see cref="LockTablesAsync"/> took: one that was added since the selection counts.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, long>> LockSessionsAsync(
        IReadOnlyCollection<string> keys,
        CancellationToken cancellationToken
    )
    {
        var (lockSessions, ids) = statements.LockSessions(keys);
        var locked = (
            await connection.QueryAsync(lockSessions, row => (Key: row.GetString(0), Hash: row.GetInt64(1)), cancellationToken, ids)
        ).ToDictionary(r => r.Key, r => r.Hash, StringComparer.Ordinal);
        if (locked.Count < keys.Count)
        {
            var existing = await ExistingAsync(connection, statements, keys, cancellationToken);
            Drop(keys.Where(k => !existing.Contains(k)), DropReason.Gone);
            Drop(keys.Where(k => existing.Contains(k) && !locked.ContainsKey(k)), DropReason.Locked);
        }
        var parameters = new SqlParameters();
        var sql = statements.NotHeld(run.Source, parameters, locked.Keys);
        var free = (await connection.QueryAsync(sql, row => row.GetString(0), cancellationToken, parameters.ToArray())).ToHashSet(
            StringComparer.Ordinal
        );
        Drop(locked.Keys.Where(k => !free.Contains(k)), DropReason.Held);
        return locked.Where(l => free.Contains(l.Key)).ToDictionary(StringComparer.Ordinal);
    }

    /// <summary>
    /// Which of the locked sessions the policy still takes, by the predicate that selected them: now nobody can change them any more.
    /// </summary>
    public async Task<IReadOnlyList<string>> StillEligibleAsync(IReadOnlyCollection<string> keys, CancellationToken cancellationToken)
    {
        var parameters = new SqlParameters();
        var sql = new SelectionStatements(run with { Shape = shape }).StillEligible(parameters, keys);
        var eligible = (await connection.QueryAsync(sql, row => row.GetString(0), cancellationToken, parameters.ToArray())).ToHashSet(
            StringComparer.Ordinal
        );
        Drop(keys.Where(k => !eligible.Contains(k)), DropReason.NoLongerEligible);
        return [.. keys.Where(eligible.Contains)];
    }

    /// <summary>
    /// Which of the locked sessions, whose rows are as they were exported, the policy takes still; the others are dropped.
    /// </summary>
    public async Task<IReadOnlyList<VerifiedSession>> StillTakenAsync(
        IReadOnlyList<VerifiedSession> sessions,
        CancellationToken cancellationToken
    )
    {
        var taken = await TakenSessions.AmongAsync(connection, run, shape, sessions, cancellationToken);
        Drop(sessions.Where(s => !taken.Contains(s.Key)).Select(s => s.Key), DropReason.NoLongerEligible);
        return [.. sessions.Where(s => taken.Contains(s.Key))];
    }

    /// <summary>
    /// Locks every row that is to go without a copy, and looks again; fingerprints by table of the sessions whose rows are all locked. The
    /// others are dropped.
    /// </summary>
    /// <param name="sessions">Each with its row's version, or null where the row is gone.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<IReadOnlyDictionary<string, Dictionary<string, Fingerprint>>> LockAllRowsAsync(
        IEnumerable<(string Key, long? Version)> sessions,
        CancellationToken cancellationToken
    )
    {
        var fingerprints = sessions.ToDictionary(
            s => s.Key,
            s =>
                s.Version is { } version && statements.SessionRows
                    ? new Dictionary<string, Fingerprint> { [SourceMap.SessionName] = default(Fingerprint).Add(version) }
                    : [],
            StringComparer.Ordinal
        );
        foreach (var child in statements.TopDown)
        {
            var locked = await LockRowsAsync(child, fingerprints.Keys, cancellationToken);
            var found = await ReadRowsAsync(child, fingerprints.Keys, cancellationToken);
            // A row that is there and was not locked is in somebody's hands.
            List<string> used = [.. fingerprints.Keys.Where(k => locked.GetValueOrDefault(k) != found.GetValueOrDefault(k))];
            Drop(used, DropReason.Locked);
            used.ForEach(k => fingerprints.Remove(k));
            foreach (var (key, tables) in fingerprints)
                tables[child.Name] = locked.GetValueOrDefault(key);
        }
        return fingerprints;
    }

    /// <summary>Locks what it can of a child's rows; their fingerprints by session.</summary>
    public Task<Dictionary<string, Fingerprint>> LockRowsAsync(
        ChildTable child,
        IEnumerable<string> keys,
        CancellationToken cancellationToken
    ) => FingerprintsAsync(connection, statements.LockRows(child, keys), cancellationToken);

    /// <summary>Fingerprints of a child's rows by session as they are now, locked or not.</summary>
    public Task<Dictionary<string, Fingerprint>> ReadRowsAsync(
        ChildTable child,
        IEnumerable<string> keys,
        CancellationToken cancellationToken
    ) => FingerprintsAsync(connection, statements.ReadRows(child, keys), cancellationToken);

    public void Drop(IEnumerable<string> keys, string reason) =>
        Dropped.AddRange(keys.Select(k => new DroppedSession(k, reason, Failed: false)));

    /// <summary>Which of the sessions have a row, locked or not.</summary>
    public static async Task<HashSet<string>> ExistingAsync(
        NpgsqlConnection connection,
        DeleteStatements statements,
        IEnumerable<string> keys,
        CancellationToken cancellationToken
    )
    {
        var (sql, parameters) = statements.Existing(keys);
        return (await connection.QueryAsync(sql, row => row.GetString(0), cancellationToken, parameters)).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>Runs a statement that returns key, count and sum of hashes.</summary>
    public static async Task<Dictionary<string, Fingerprint>> FingerprintsAsync(
        NpgsqlConnection connection,
        (string Sql, NpgsqlParameter[] Parameters) statement,
        CancellationToken cancellationToken
    )
    {
        var rows = await connection.QueryAsync(
            statement.Sql,
            row => (Key: row.GetString(0), Fingerprint: Fingerprint.Parse(row.GetInt64(1), row.GetString(2))),
            cancellationToken,
            statement.Parameters
        );
        return rows.ToDictionary(row => row.Key, row => row.Fingerprint, StringComparer.Ordinal);
    }
}

using System.Data;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Postgres;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>
/// Puts staged sessions into their tables: many in one transaction, each wholly or not at all. Rows go through temporary tables by COPY, are
/// inserted parents first, read back and compared, recorded in the ledger, and only then committed. One connection serves a whole restore.
/// </summary>
/// <param name="into">The tables, and how they are filled.</param>
/// <param name="records">The ledger's part; null when the target is not the source itself.</param>
/// <param name="open">Opens a connection to the target.</param>
/// <param name="batch">Bounds of a transaction.</param>
/// <param name="retry">Repeats what a passing fault broke.</param>
/// <param name="live">Makes room where live versions would be replaced, in a dry run; else null.</param>
internal sealed class SessionImporter(
    ImportTarget into, RestoreRecords? records, Func<CancellationToken, Task<NpgsqlConnection>> open, BatchSettings batch, DatabaseRetry retry, ILiveRows? live = null) : IAsyncDisposable
{
    private readonly ImportStatements _statements = new(into.Target);
    private NpgsqlConnection? _connection;
    private ImportPlan? _plan;

    /// <summary>Imports sessions of one plan. Refused ones leave the others alone.</summary>
    /// <exception cref="NpgsqlException">The server failed; every session is wholly there or not at all.</exception>
    /// <exception cref="ArchiverException">The tables changed, the lock is lost, or nobody can say whether a commit took place.</exception>
    public Task<IReadOnlyList<ImportedSession>> ImportAsync(IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken) =>
        retry.ExecuteAsync(token => ImportOnceAsync(sessions, token), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
            await _connection.DisposeAsync();
        (_connection, _plan) = (null, null);
    }

    private async Task<IReadOnlyList<ImportedSession>> ImportOnceAsync(IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken)
    {
        // Before the transaction, which must wait for nobody: its rows are read back, the large ones too.
        using var large = sessions.Max(s => s.Content.Length) > LargeRowGate.Bytes ? await LargeRowGate.EnterAsync(cancellationToken) : null;
        try
        {
            var connection = await OpenAsync(sessions[0].Plan, cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
            await BeginAsync(connection, sessions, cancellationToken);
            var insertion = new SessionInsertion(connection, transaction, into);
            var keys = await ExistingAsync(connection, sessions, cancellationToken);
            var present = await PresentAsync(new(connection, transaction, into), [.. sessions.Where(s => keys.Contains(s.Key))], cancellationToken);
            var replaced = await RehearseReplacementAsync(connection, transaction, present, cancellationToken);
            var beside = sessions.ToLookup(s => s.Header.IsPart && keys.Contains(s.Key));
            await insertion.InsertAsync([.. beside[false].Where(s => !present.ContainsKey(s.Key))], cancellationToken);
            await insertion.InsertAsync([.. beside[true].Where(s => !present.ContainsKey(s.Key))], cancellationToken, beside: true);
            FaultPoint.Reach(FaultPoints.RestoreInserted);

            List<ImportedSession> imported = [.. present.Values, .. insertion.Outcome.Select(s => s.Outcome == ImportOutcome.Refused && replaced.Contains(s.Session.Key) ? StaysLive(s.Session, s.Reason!) : s)];
            await new SequenceAdvance(connection, into.Target, rehearsal: into.Options.DryRun).AdvanceAsync(insertion.Inserted, cancellationToken);
            if (records is not null)
                await records.WriteAsync(connection, imported, cancellationToken);
            FaultPoint.Reach(FaultPoints.RestoreReady);
            if (into.Options.DryRun)
                await transaction.RollbackAsync(cancellationToken);
            else
                await CommitAsync(connection, transaction, insertion.Inserted, cancellationToken);
            return imported;
        }
        catch
        {
            // The next attempt starts on a new connection: this one may be broken, or in a failed transaction.
            await DisposeAsync();
            throw;
        }
    }

    /// <summary>The connection, with staging tables for the documents of the plan.</summary>
    private async Task<NpgsqlConnection> OpenAsync(ImportPlan plan, CancellationToken cancellationToken)
    {
        _connection ??= await open(cancellationToken);
        if (_plan != plan)
            await _connection.ExecuteAsync($"{_statements.DropStaging}; {_statements.CreateStaging(plan)}", cancellationToken);
        _plan = plan;
        return _connection;
    }

    private async Task BeginAsync(NpgsqlConnection connection, IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken)
    {
        var scale = Math.Max(1.0, (double)sessions.Sum(s => s.Rows) / batch.Rows);
        await connection.ExecuteAsync(
            ApplicationPath.Remember + TransactionSettings.Export + TransactionSettings.Change
            + TransactionSettings.Timeout("statement_timeout", batch.StatementTimeout * scale)
            + TransactionSettings.Timeout("lock_timeout", batch.LockTimeout)
            + TransactionSettings.Timeout("idle_in_transaction_session_timeout", batch.StatementTimeout * scale)
            + _statements.LockTables, cancellationToken);
        await into.Target.RequireUnchangedAsync(connection, cancellationToken);
    }

    /// <summary>What it means for sessions that they have a row already. Of parts those are left out whose messages can go beside the live ones.</summary>
    private async Task<Dictionary<string, ImportedSession>> PresentAsync(ExistingSessions rows, IReadOnlyList<StagedSession> existing, CancellationToken cancellationToken)
    {
        var live = await rows.LiveAsync([.. existing.Where(s => s.Header.IsPart)], cancellationToken);
        var present = existing.Where(s => !s.Header.IsPart).ToList();
        var judged = present.Count == 0 ? [] : await PresentWholeAsync(rows, present, cancellationToken);
        foreach (var part in existing.Where(s => live.ContainsKey(s.Key)))
            judged.Add(part.Key, live[part.Key]
                ? new(part, ImportOutcome.AlreadyThere)
                : new(part, ImportOutcome.Refused, "some of its messages are in the database, and not all of them as they were archived; nothing was changed"));
        return judged;
    }

    private async Task<Dictionary<string, ImportedSession>> PresentWholeAsync(ExistingSessions rows, List<StagedSession> present, CancellationToken cancellationToken)
    {
        var differing = await rows.DifferingAsync(present, cancellationToken);
        // A message that came since is no other version of what is there.
        List<StagedSession> other = [.. present.Where(s => differing.ContainsKey(s.Key))];
        var merges = !into.Target.Map.Session.HasRow && into.Options.OnConflict != ConflictMode.Replace;
        var beside = (merges || into.Options.OnConflict == ConflictMode.Skip) && other.Count > 0 ? await rows.WholeAsync(other, cancellationToken) : [];
        // What came since under the key of a session without a row is no other version of it: there is none. The archived rows go beside.
        if (merges)
            present.RemoveAll(s => differing.ContainsKey(s.Key) && !beside.ContainsKey(s.Key));
        return present.ToDictionary(
            s => s.Key,
            s => beside.TryGetValue(s.Key, out var others) ? new(s, ImportOutcome.AlreadyThere) { Beside = others } : Judge(s, differing.GetValueOrDefault(s.Key)),
            StringComparer.Ordinal);
    }

    /// <summary>
    /// Removes the sessions whose live rows gave way from <paramref name="present"/>, and returns their keys. The import inserts these sessions then. A real
    /// replacement does the same, after its run has archived the live rows.
    /// </summary>
    private async Task<HashSet<string>> RehearseReplacementAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, Dictionary<string, ImportedSession> present, CancellationToken cancellationToken)
    {
        List<ImportedSession> conflicting = [.. present.Values.Where(s => s.Outcome == ImportOutcome.Conflicting)];
        if (conflicting.Count == 0 || live is null || into.Options is not { DryRun: true, OnConflict: ConflictMode.Replace })
            return [];
        var reasons = await live.TakeAwayAsync(connection, transaction, [.. conflicting.Select(s => s.Session.Key)], cancellationToken);
        foreach (var (session, key) in conflicting.Select(s => (s.Session, s.Session.Key)))
        {
            if (reasons.TryGetValue(key, out var reason))
                present[key] = StaysLive(session, reason);
            else
                present.Remove(key);
        }
        return [.. conflicting.Select(s => s.Session.Key)];
    }

    private static ImportedSession StaysLive(StagedSession session, string reason) => new(session, ImportOutcome.Refused, $"{reason}; its live rows stay as they are");

    private async Task<HashSet<string>> ExistingAsync(NpgsqlConnection connection, IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken) =>
        (await connection.QueryAsync(
            _statements.Existing, row => row.GetString(0), cancellationToken, PgParameter.Texts(sessions.Select(s => s.Key)))).ToHashSet(StringComparer.Ordinal);

    private ImportedSession Judge(StagedSession session, PlannedTable? differing) => differing switch
    {
        null when into.Options.OnConflict != ConflictMode.Fail => new(session, ImportOutcome.AlreadyThere),
        null => new(session, ImportOutcome.Refused, "it is in the database already, with the same rows; nothing was changed"),
        _ => new(session, ImportOutcome.Conflicting, $"it is in the database already, with other rows in {differing.Target!.Table}; nothing was changed"),
    };

    /// <summary>When the answer is lost, it is found out: a second attempt would take this one's rows for somebody else's.</summary>
    private async Task CommitAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, List<StagedSession> inserted, CancellationToken cancellationToken)
    {
        var outcome = new CommitOutcome(
            retry.Time, open, "The server did not answer a restore's commit, nor what became of it. Its sessions are either wholly restored or not at all; run the restore again with --on-conflict skip.",
            async (other, _, token) => records is not null
                ? await records.AreWrittenAsync(other, token)
                // Of a part the session's row says nothing. A second attempt finds its messages there, if they are.
                : !inserted.Exists(s => s.Header.IsPart) && (await ExistingAsync(other, inserted, token)).Count == inserted.Count);
        await outcome.CommitAsync(connection, transaction, _ => Task.CompletedTask, cancellationToken);
        FaultPoint.Reach(FaultPoints.RestoreCommitted);
        records?.Committed();
    }
}

using System.Data;
using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>
/// Puts staged sessions into their tables: many in one transaction, each wholly or not at all. Rows go through temporary tables by COPY,
/// are inserted parents first, read back and compared, recorded in the ledger, and only then committed. One connection serves a whole
/// restore.
/// </summary>
/// <param name="into">The tables, and how they are filled.</param>
/// <param name="records">The ledger's part; null when the target is not the source itself.</param>
/// <param name="open">Opens a connection to the target.</param>
/// <param name="batch">Bounds of a transaction.</param>
/// <param name="retry">Repeats what a passing fault broke.</param>
/// <param name="live">Makes room where live versions would be replaced, in a dry run; else null.</param>
internal sealed class SessionImporter(
    ImportTarget into,
    RestoreRecords? records,
    Func<CancellationToken, Task<NpgsqlConnection>> open,
    BatchSettings batch,
    DatabaseRetry retry,
    ILiveRows? live = null
) : IAsyncDisposable
{
    private readonly ImportStatements _statements = new(into.Target);
    private readonly LiveConflicts _conflicts = new(into, live);

    // Sessions that a dry run had in the tables, and rolled back.
    private readonly HashSet<string> _rehearsed = new(StringComparer.Ordinal);
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

    private async Task<IReadOnlyList<ImportedSession>> ImportOnceAsync(
        IReadOnlyList<StagedSession> sessions,
        CancellationToken cancellationToken
    )
    {
        // Before the transaction, which must wait for nobody: its rows are read back, the large ones too.
        using var large =
            sessions.Max(s => s.Content.Length) > LargeRowGate.Bytes ? await LargeRowGate.EnterAsync(cancellationToken) : null;
        try
        {
            var connection = await OpenAsync(sessions[0].Plan, cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
            await BeginAsync(connection, sessions, cancellationToken);
            var insertion = new SessionInsertion(connection, transaction, into);
            var keys = await into.Target.ExistingAsync(connection, sessions.Select(s => s.Key), cancellationToken);
            var rows = new LiveRowComparison(connection, transaction, into);
            var present = await _conflicts.JudgeAsync(rows, [.. sessions.Where(s => keys.Contains(s.Key))], cancellationToken);
            var replaced = await _conflicts.RehearseReplacementAsync(connection, transaction, present, cancellationToken);
            var absent = sessions.Where(s => !present.ContainsKey(s.Key)).ToLookup(s => WhyLeft(s, keys) ?? "");
            var beside = absent[""].ToLookup(s => s.Header.IsPart && keys.Contains(s.Key));
            await insertion.InsertAsync([.. beside[false]], cancellationToken);
            await insertion.InsertAsync([.. beside[true]], cancellationToken, beside: true);
            FaultPoint.Reach(FaultPoints.RestoreInserted);

            List<ImportedSession> imported =
            [
                .. present.Values,
                .. absent.Where(g => g.Key != "").SelectMany(g => g, (g, s) => new ImportedSession(s, ImportOutcome.Refused, g.Key)),
                .. insertion.Outcome.Select(s =>
                    s.Outcome == ImportOutcome.Refused && replaced.Contains(s.Session.Key)
                        ? LiveConflicts.StaysLive(s.Session, s.Reason!)
                        : s
                ),
            ];
            await _conflicts.RememberAsync(rows, imported, cancellationToken);
            await new SequenceAdvance(connection, into.Target, rehearsal: into.Options.DryRun).AdvanceAsync(
                insertion.Inserted,
                cancellationToken
            );
            if (records is not null)
                await records.WriteAsync(connection, imported, cancellationToken);
            FaultPoint.Reach(FaultPoints.RestoreReady);
            if (into.Options.DryRun)
                await RollbackAsync(transaction, insertion.Inserted, cancellationToken);
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

    // The archive of a part's session itself was asked for first: where there is no session, it did not come.
    private string? WhyLeft(StagedSession session, HashSet<string> existing) =>
        session.Candidate.NeedsSession && !existing.Contains(session.Key) && !_rehearsed.Contains(session.Key)
            ? ImportRefusal.WithoutSession
        : session.Candidate.IsOnlyCompared ? ImportRefusal.NotThereAnyMore
        : null;

    private async Task RollbackAsync(NpgsqlTransaction transaction, List<StagedSession> inserted, CancellationToken cancellationToken)
    {
        await transaction.RollbackAsync(cancellationToken);
        _rehearsed.UnionWith(inserted.Where(s => !s.Header.IsPart).Select(s => s.Key));
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
        var timeout = batch.TimeoutFor(sessions.Sum(s => s.Rows));
        await connection.ExecuteAsync(
            ApplicationPath.Remember(into.ApplicationZone)
                + TransactionSettings.Export
                + TransactionSettings.Change
                + TransactionSettings.Timeout("statement_timeout", timeout)
                + TransactionSettings.Timeout("lock_timeout", batch.LockTimeout)
                + TransactionSettings.Timeout("idle_in_transaction_session_timeout", timeout)
                + _statements.LockTables,
            cancellationToken
        );
        await into.Target.RequireUnchangedAsync(connection, cancellationToken);
    }

    /// <summary>When the answer is lost, it is found out: a second attempt would take this one's rows for somebody else's.</summary>
    private async Task CommitAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        List<StagedSession> inserted,
        CancellationToken cancellationToken
    )
    {
        var outcome = new CommitOutcome(
            retry.Time,
            open,
            "The server did not answer a restore's commit, nor what became of it. Its sessions are either wholly "
                + "restored or not at all; run the restore again with --on-conflict skip.",
            async (other, _, token) =>
                records is not null
                    ? await records.AreWrittenAsync(other, token)
                    // Of a part the session's row says nothing. A second attempt finds its messages there, if they are.
                    : !inserted.Exists(s => s.Header.IsPart)
                        && (await into.Target.ExistingAsync(other, inserted.Select(s => s.Key), token)).Count == inserted.Count
        );
        await outcome.CommitAsync(connection, transaction, _ => Task.CompletedTask, cancellationToken);
        FaultPoint.Reach(FaultPoints.RestoreCommitted);
        records?.Committed();
    }
}

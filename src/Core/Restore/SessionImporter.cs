using System.Data;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Restore;

/// <summary>
/// Puts staged sessions into their tables: many in one transaction, each wholly or not at all. Rows go through temporary tables by COPY, are
/// inserted parents first, read back and compared, recorded in the ledger, and only then committed. One connection serves a whole restore.
/// </summary>
/// <param name="target">The tables.</param>
/// <param name="options">What the user asked for.</param>
/// <param name="records">The ledger's part; null when the target is not the source itself.</param>
/// <param name="open">Opens a connection to the target.</param>
internal sealed class SessionImporter(
    RestoreTarget target, RestoreOptions options, RestoreRecords? records, Func<CancellationToken, Task<NpgsqlConnection>> open,
    ImportSettings settings, DatabaseRetry retry) : IAsyncDisposable
{
    private readonly ImportStatements _statements = new(target);

    /// <summary>Sessions whose commit was sent and not answered: found in the tables afterwards, they are ours.</summary>
    private readonly HashSet<string> _committing = new(StringComparer.Ordinal);

    private NpgsqlConnection? _connection;

    /// <summary>Imports sessions of one plan. Refused ones leave the others alone.</summary>
    /// <exception cref="NpgsqlException">The server failed; every session is wholly there or not at all.</exception>
    /// <exception cref="ArchiverException">The tables changed, or the lock is lost.</exception>
    public Task<IReadOnlyList<ImportedSession>> ImportAsync(IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken) =>
        retry.ExecuteAsync(token => ImportOnceAsync(sessions, token), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
            await _connection.DisposeAsync().ConfigureAwait(false);
        _connection = null;
    }

    private async Task<IReadOnlyList<ImportedSession>> ImportOnceAsync(IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken)
    {
        try
        {
            var connection = _connection ??= await OpenAsync(cancellationToken).ConfigureAwait(false);
            await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
            await BeginAsync(connection, sessions, cancellationToken).ConfigureAwait(false);
            var present = await PresentAsync(connection, sessions, cancellationToken).ConfigureAwait(false);
            var absent = sessions.Where(s => !present.ContainsKey(s.Key)).ToList();
            var insertion = new SessionInsertion(connection, transaction, target, _statements, options.DisableTriggers);
            await insertion.InsertAsync(absent, cancellationToken).ConfigureAwait(false);
            FaultPoint.Reach(FaultPoints.RestoreInserted);

            List<ImportedSession> imported = [.. present.Values, .. insertion.Refused, .. insertion.Inserted.Select(s => new ImportedSession(s, ImportOutcome.Restored))];
            await FinishAsync(connection, insertion.Inserted, [.. imported.Where(i => i.Outcome is ImportOutcome.Restored or ImportOutcome.AlreadyThere).Select(i => i.Session)], cancellationToken).ConfigureAwait(false);
            if (options.DryRun)
                await transaction.RollbackAsync(cancellationToken).ConfigureAwait(false);
            else
                await CommitAsync(transaction, insertion.Inserted, cancellationToken).ConfigureAwait(false);
            return imported;
        }
        catch
        {
            // The next attempt starts on a new connection: this one may be broken, or in a failed transaction.
            await DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = await open(cancellationToken).ConfigureAwait(false);
        try
        {
            await connection.ExecuteAsync(_statements.CreateStaging, cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task BeginAsync(NpgsqlConnection connection, IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken)
    {
        var scale = Math.Max(1.0, (double)sessions.Sum(s => s.Rows) / settings.Batch.Rows);
        await connection.ExecuteAsync(
            TransactionSettings.Export + TransactionSettings.Change
            + TransactionSettings.Timeout("statement_timeout", settings.Batch.StatementTimeout * scale)
            + TransactionSettings.Timeout("lock_timeout", settings.Batch.LockTimeout)
            + TransactionSettings.Timeout("idle_in_transaction_session_timeout", settings.Batch.StatementTimeout * scale)
            + _statements.LockTables, cancellationToken).ConfigureAwait(false);
        var hashes = await TableDescriber.HashesAsync(connection, target.Shape.Tables.Select(t => t.Oid), cancellationToken).ConfigureAwait(false);
        if (target.Shape.Tables.Any(t => hashes.GetValueOrDefault(t.Oid) != t.Hash))
            throw new ArchiverException(FailureKind.Failed, "A table was changed while sessions were being restored to it. What was restored before stays; run the restore again.");
    }

    /// <summary>Sessions that have a row already, with what that means for them.</summary>
    private async Task<Dictionary<string, ImportedSession>> PresentAsync(NpgsqlConnection connection, IReadOnlyList<StagedSession> sessions, CancellationToken cancellationToken)
    {
        var keys = (await connection.QueryAsync(
            _statements.Existing, row => row.GetString(0), cancellationToken, PgParameter.Texts(sessions.Select(s => s.Key))).ConfigureAwait(false)).ToHashSet(StringComparer.Ordinal);
        if (keys.Count == 0)
            return [];
        var present = sessions.Where(s => keys.Contains(s.Key)).ToList();
        var differing = await new RowComparer(connection, _statements).DifferingAsync(present, cancellationToken).ConfigureAwait(false);
        return present.ToDictionary(s => s.Key, s => Judge(s, differing.GetValueOrDefault(s.Key)), StringComparer.Ordinal);
    }

    private ImportedSession Judge(StagedSession session, PlannedTable? differing) => differing switch
    {
        null when _committing.Contains(session.Key) => new(session, ImportOutcome.Restored),
        null when options.OnConflict != ConflictMode.Fail => new(session, ImportOutcome.AlreadyThere),
        null => new(session, ImportOutcome.Refused, "it is in the database already, with the same rows; nothing was changed"),
        _ => new(session, ImportOutcome.Conflicting, $"it is in the database already, with other rows in {differing.Target!.Table}; nothing was changed"),
    };

    private async Task FinishAsync(
        NpgsqlConnection connection, List<StagedSession> inserted, List<StagedSession> recorded, CancellationToken cancellationToken)
    {
        if (inserted.Count > 0 && !options.DryRun)
            await new SequenceAdvance(connection, target).AdvanceAsync(inserted, cancellationToken).ConfigureAwait(false);
        if (inserted.Count > 0 && options.Reactivate)
        {
            // The application's triggers fire as in its own transactions.
            await connection.ExecuteAsync(SessionInsertion.ApplicationSettings, cancellationToken).ConfigureAwait(false);
            await new Reactivation(target, settings.TimeZone, options.ExpiresAt).ApplyAsync(connection, inserted.Select(s => s.Key), cancellationToken).ConfigureAwait(false);
            await connection.ExecuteAsync(SessionInsertion.OwnSettings, cancellationToken).ConfigureAwait(false);
        }
        if (records is not null && recorded.Count > 0)
            await records.WriteAsync(connection, recorded, cancellationToken).ConfigureAwait(false);
        FaultPoint.Reach(FaultPoints.RestoreReady);
    }

    private async Task CommitAsync(NpgsqlTransaction transaction, List<StagedSession> inserted, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _committing.Clear();
        _committing.UnionWith(inserted.Select(s => s.Key));
        // Not cancelled half-way: either it is not sent, or its answer is waited for.
        await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
        FaultPoint.Reach(FaultPoints.RestoreCommitted);
        _committing.Clear();
    }
}

/// <summary>What an import takes from the configuration.</summary>
/// <param name="TimeZone">Zone of the source's timestamps without time zone.</param>
internal sealed record ImportSettings(BatchSettings Batch, string TimeZone);

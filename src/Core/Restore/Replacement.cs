using System.Collections.Concurrent;
using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Import;
using Archiver.Core.Pipelines;
using Archiver.Core.Postgres;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Archiver.Core.Verification;
using Npgsql;

namespace Archiver.Core.Restore;

/// <summary>
/// <c>restore --on-conflict replace</c>: gives the run that archives the live versions (<see cref="LiveVersions"/>) the archived rows that
/// take their place, inside the transaction that deletes them. A session whose archived rows cannot come back keeps its live ones.
/// </summary>
/// <param name="candidates">The archives by session key.</param>
/// <param name="store">The reading side.</param>
/// <param name="stager">Reads documents.</param>
/// <param name="into">The tables.</param>
/// <param name="records">The ledger's part of the restore.</param>
/// <param name="settings">Bounds.</param>
internal sealed class Replacement(
    IReadOnlyDictionary<string, RestoreCandidate> candidates,
    IArchiveReader store,
    SessionStager stager,
    ImportTarget into,
    RestoreRecords records,
    ArchiverSettings settings
) : IReplacement, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, StagedSession> _staged = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _reasons = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<ImportedSession> _done = [];

    /// <summary>Sessions that were replaced and committed.</summary>
    public IReadOnlyCollection<ImportedSession> Done => _done;

    /// <summary>Why the archived rows of a session have no place, by its key.</summary>
    public IReadOnlyDictionary<string, string> Reasons => _reasons;

    /// <inheritdoc/>
    public async Task<int> StageAsync(VerifiedBatch batch, CancellationToken cancellationToken)
    {
        var downloads = new SessionDownloads(
            store,
            async (candidate, json, token) => await KeepAsync(await stager.StageAsync(candidate, json, token)),
            (candidate, _, reason) => _reasons[candidate.SessionId!] = reason,
            settings.Storage.UploadConcurrency
        );
        List<RestoreCandidate> wanted = [.. batch.Sessions.Select(s => candidates.GetValueOrDefault(s.Key)).OfType<RestoreCandidate>()];
        await downloads.RunAsync(new[] { wanted }.ToAsyncEnumerable().Select(IReadOnlyList<RestoreCandidate> (w) => w), cancellationToken);
        return wanted.Count;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlySet<string>> InsertAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        IReadOnlyList<string> keys,
        CancellationToken cancellationToken
    )
    {
        HashSet<string> refused = [.. keys.Where(k => !_staged.ContainsKey(k))];
        if (refused.Count > 0)
            return refused;
        var statements = new ImportStatements(into.Target);
        await into.Target.RequireUnchangedAsync(connection, cancellationToken);
        foreach (var group in keys.Select(k => _staged[k]).GroupBy(s => s.Plan))
        {
            List<StagedSession> sessions = [.. group];
            await connection.ExecuteAsync(
                TransactionSettings.Export
                    + TransactionSettings.Timeout("statement_timeout", settings.Batch.TimeoutFor(sessions.Sum(s => s.Rows)))
                    + statements.CreateStaging(group.Key),
                cancellationToken
            );
            var insertion = new SessionInsertion(connection, transaction, into);
            await insertion.InsertAsync(sessions, cancellationToken);
            await connection.ExecuteAsync(statements.DropStaging, cancellationToken);
            foreach (var session in insertion.Refused)
            {
                _reasons[session.Session.Key] = session.Reason!;
                refused.Add(session.Session.Key);
            }
        }
        FaultPoint.Reach(FaultPoints.ReplaceInserted);
        return refused;
    }

    /// <inheritdoc/>
    public async Task RecordAsync(NpgsqlConnection connection, IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        List<StagedSession> sessions = [.. keys.Select(k => _staged[k])];
        await new SequenceAdvance(connection, into.Target, rehearsal: false).AdvanceAsync(sessions, cancellationToken);
        await records.WriteAsync(connection, Restored(keys), cancellationToken);
    }

    /// <inheritdoc/>
    public void Committed(IReadOnlyList<string> keys)
    {
        foreach (var session in Restored(keys))
            _done.Add(session);
    }

    /// <inheritdoc/>
    public async Task ForgetAsync(VerifiedBatch batch)
    {
        foreach (var session in batch.Sessions)
        {
            if (_staged.TryRemove(session.Key, out var staged))
                await staged.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var staged in _staged.Values)
            await staged.DisposeAsync();
        _staged.Clear();
    }

    private List<ImportedSession> Restored(IReadOnlyList<string> keys) =>
        [.. keys.Select(k => new ImportedSession(_staged[k], ImportOutcome.Restored))];

    // A retry stages a batch again.
    private async Task KeepAsync(StagedSession session)
    {
        if (_staged.TryRemove(session.Key, out var earlier))
            await earlier.DisposeAsync();
        _staged[session.Key] = session;
    }
}

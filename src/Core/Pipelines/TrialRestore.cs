using System.Collections.Concurrent;
using Archiver.Core.Bucket;
using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Import;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Reading;
using Archiver.Core.Storage;
using Archiver.Core.Verification;
using Npgsql;

namespace Archiver.Core.Pipelines;

/// <summary>
/// <c>Storage:Verify: TrialRestore</c>: the stored document goes, by the code that restores, into temporary tables, and the server compares
/// their rows with the live ones in both directions inside the deleting transaction. What differs, or cannot be loaded, is not deleted.
/// </summary>
internal sealed class TrialRestore(RunContext run, IArchiveReader store, int concurrency) : ITrialRestore, IAsyncDisposable
{
    private const string Savepoint = "trial";

    private readonly ConcurrentDictionary<string, Trial> _trials = new(StringComparer.Ordinal);

    /// <summary>Reads the documents of a batch back, before its transaction: none is open while the store is asked.</summary>
    public async Task<int> StageAsync(VerifiedBatch batch, CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        var target = await RestoreTarget.DescribeAsync(connection, run.Source.Map, cancellationToken);
        using var plans = new ImportPlans(target, DriftOptions.None, run.Connections.OpenAsync, run.Source.TimeZone);
        var stager = new SessionStager(plans, run.Source.Name, TombstoneSet.Empty);
        var downloads = new SessionDownloads(
            store,
            async (candidate, json, token) => await KeepAsync(new(target, await stager.StageAsync(candidate, json, token))),
            // One that cannot be staged has no trial, and without one it is not deleted.
            (_, _, _) => { },
            concurrency
        );
        await downloads.RunAsync(
            new[] { batch }.ToAsyncEnumerable().Select(b => (IReadOnlyList<RestoreCandidate>)[.. b.Sessions.Select(Candidate)]),
            cancellationToken
        );
        return batch.Sessions.Count;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlySet<string>> FindDifferingAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        IReadOnlyList<VerifiedSession> sessions,
        CancellationToken cancellationToken
    )
    {
        // Comparing is by text: it must be the full text of every value.
        await connection.ExecuteAsync(TransactionSettings.Export, cancellationToken);
        HashSet<string> differing = [.. sessions.Select(s => s.Key).Where(k => !_trials.ContainsKey(k))];
        foreach (
            var group in sessions
                .Where(s => !differing.Contains(s.Key))
                .Select(s => _trials[s.Key])
                .GroupBy(t => (t.Target, t.Session.Plan))
        )
            await CompareAsync(connection, transaction, group.Key.Target, [.. group.Select(t => t.Session)], differing, cancellationToken);
        return differing;
    }

    /// <summary>Forgets the documents of a batch whose transaction has ended.</summary>
    public async Task ForgetAsync(VerifiedBatch batch)
    {
        foreach (var session in batch.Sessions)
        {
            if (_trials.TryRemove(session.Key, out var trial))
                await trial.Session.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var trial in _trials.Values)
            await trial.Session.DisposeAsync();
        _trials.Clear();
    }

    /// <summary>Halves find the session whose rows the server does not take.</summary>
    private static async Task CompareAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        RestoreTarget target,
        IReadOnlyList<StagedSession> sessions,
        HashSet<string> differing,
        CancellationToken cancellationToken
    )
    {
        await transaction.SaveAsync(Savepoint, cancellationToken);
        try
        {
            differing.UnionWith(await new TrialTables(connection, target).CompareAsync(sessions, cancellationToken));
            await transaction.ReleaseAsync(Savepoint, cancellationToken);
            return;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new ArchiverException(
                FailureKind.Refused,
                "Archiver:Storage:Verify is TrialRestore, which needs temporary tables: GRANT TEMPORARY ON DATABASE to the archiver's "
                    + "role. Nothing was deleted.",
                exception
            );
        }
        catch (PostgresException exception) when (ImportRefusal.IsAboutRows(exception))
        {
            await transaction.RollbackAsync(Savepoint, cancellationToken);
            await transaction.ReleaseAsync(Savepoint, cancellationToken);
        }
        if (sessions.Count == 1)
        {
            differing.Add(sessions[0].Key);
            return;
        }
        await CompareAsync(connection, transaction, target, [.. sessions.Take(sessions.Count / 2)], differing, cancellationToken);
        await CompareAsync(connection, transaction, target, [.. sessions.Skip(sessions.Count / 2)], differing, cancellationToken);
    }

    // A retry stages a batch again.
    private async Task KeepAsync(Trial trial)
    {
        if (_trials.TryRemove(trial.Session.Key, out var earlier))
            await earlier.Session.DisposeAsync();
        _trials[trial.Session.Key] = trial;
    }

    private RestoreCandidate Candidate(VerifiedSession session) =>
        RestoreCandidate.Of(
            new(
                session.Copy.ObjectId,
                run.Source.Name,
                session.Key,
                session.Session.Session.Generation,
                "pending",
                session.Copy.Object,
                session.Copy.Offset,
                session.Copy.Length,
                session.Copy.JsonLength,
                session.Copy.JsonSha256
            )
        );

    private sealed record Trial(RestoreTarget Target, StagedSession Session);
}

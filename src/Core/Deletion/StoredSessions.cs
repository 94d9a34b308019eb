using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// Looks after sessions that are stored while their rows stay. One whose rows are not those of its mark any more is alive again: its
/// archive becomes <c>superseded</c>, the mark is taken back, and the policy may take it as the next generation. Nothing is deleted here.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="retry">Repeats what a passing fault broke.</param>
/// <param name="outcomes">Told of what cannot be made superseded: a run that leaves it is not wholly done.</param>
/// <param name="limit">Why the run is to stop, or null.</param>
/// <param name="except">Leaves out those of the archives whose sessions have other physical names only.</param>
/// <param name="logger">The log.</param>
internal sealed class StoredSessions(
    RunContext run, DatabaseRetry retry, SessionOutcomes outcomes, Func<CancellationToken, Task<string?>> limit, Func<IReadOnlyList<StoredArchive>, CancellationToken, Task<IReadOnlyList<StoredArchive>>> except, ILogger logger)
{
    /// <summary>Reason of an archive whose session has other rows now.</summary>
    public const string Changed = "changed after it was stored";

    private const string Supersede = """
        UPDATE archiver.archives AS a
        SET state = 'superseded', reason = n.reason, ended_at = clock_timestamp()
        FROM unnest($1, $2) AS n (id, reason)
        WHERE a.id = n.id AND a.state = 'stored'
        """;

    private readonly DeleteStatements _statements = new(run.Source.Map, run.Shape);

    /// <summary>Compares every stored session of the policy with its rows; returns how many are superseded.</summary>
    public async Task<long> CheckAsync(CancellationToken cancellationToken)
    {
        var (after, superseded) = (0L, 0L);
        while (await retry.ExecuteAsync(token => PageAsync(after, token), cancellationToken) is { Count: > 0 } page)
        {
            if (await retry.ExecuteAsync(limit, cancellationToken) is { } reason)
            {
                logger.RunCutShort(run.Id, reason);
                break;
            }
            after = page[^1].Id;
            var changed = await retry.ExecuteAsync(token => ChangedAsync(page, token), cancellationToken);
            if (changed.Count > 0)
                superseded += await SupersedeAsync(await except(changed, cancellationToken), cancellationToken);
        }
        if (superseded > 0)
            logger.StoredSuperseded(run.Id, superseded);
        return superseded;
    }

    /// <summary>
    /// Makes archives <c>superseded</c> whose sessions are not, or not any more, what is stored; returns how many. Sessions in use or held
    /// wait for the next run, each alone: halves find the one that somebody waits for.
    /// </summary>
    public async Task<long> SupersedeAsync(IReadOnlyList<StoredArchive> over, CancellationToken cancellationToken)
    {
        if (over.Count == 0)
            return 0;
        var surprise = DropReason.SideEffects;
        try
        {
            if (await retry.ExecuteAsync(token => SupersedeOnceAsync(over, token), cancellationToken) is { } superseded)
                return superseded;
        }
        catch (PostgresException exception) when (exception.IsAboutOneBatch() && !cancellationToken.IsCancellationRequested)
        {
            surprise = $"{DropReason.NotUpdated} ({exception.SqlState})";
        }
        if (over.Count == 1)
        {
            // It stays stored, and is never deleted on the strength of that copy; the next run finds it again.
            if (over[0].HasFailed)
                logger.SessionFailed(over[0].Key, surprise);
            else
                await outcomes.DropAsync([new DroppedSession(over[0].Key, surprise, Failed: true)], cancellationToken);
            return 0;
        }
        var first = await SupersedeAsync([.. over.Take(over.Count / 2)], cancellationToken);
        return first + await SupersedeAsync([.. over.Skip(over.Count / 2)], cancellationToken);
    }

    /// <summary>Makes the stored copies of these sessions <c>superseded</c>: they are to be archived as they are now, which a copy that waits for its delete would prevent.</summary>
    public async Task GiveWayAsync(IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        if (keys.Count == 0)
            return;
        await SupersedeAsync(await retry.ExecuteAsync(FindAsync, cancellationToken), cancellationToken);

        // Each shard's run for its own sessions: the others' are under another lock.
        async Task<List<StoredArchive>> FindAsync(CancellationToken token)
        {
            var sql = $"""
                SELECT a.id, a.session_id, a.mark::text
                FROM archiver.archives AS a
                WHERE a.source = $1 AND a.session_id = ANY ($2) AND a.state = 'stored' AND {run.Shard.Sql("a.session_id")}
                """;
            await using var connection = await run.Connections.OpenAsync(token);
            return await connection.QueryAsync(
                sql, row => new StoredArchive(row.GetInt64(0), row.GetString(1), row.TextOrNull(2), "another generation is restored"), token,
                PgParameter.Text(run.Source.Name), PgParameter.Texts(keys));
        }
    }

    // Those of a policy that is configured no more, or has another name now, are nobody's: whoever runs looks whether they changed.
    private async Task<List<StoredArchive>> PageAsync(long after, CancellationToken cancellationToken)
    {
        var sql = $"""
            SELECT a.id, a.session_id, a.fingerprints::text, a.mark::text
            FROM archiver.archives AS a
            WHERE a.source = $1 AND (a.policy = $2 OR a.policy <> ALL ($5)) AND a.state = 'stored' AND a.id > $3 AND {run.Shard.Sql("a.session_id")}
            ORDER BY a.id
            LIMIT $4
            """;
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        return await connection.QueryAsync(
            sql, row => new StoredArchive(row.GetInt64(0), row.GetString(1), row.TextOrNull(3), Changed) { Fingerprints = Fingerprint.FromJson(row.GetString(2)) }, cancellationToken,
            PgParameter.Text(run.Source.Name), PgParameter.Text(run.Policy.Name), PgParameter.Bigint(after), PgParameter.Int(run.Batch.Sessions),
            PgParameter.Texts(run.Source.Policies.Select(p => p.Name)));
    }

    private async Task<List<StoredArchive>> ChangedAsync(List<StoredArchive> page, CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(run.Batch.StatementTimeout), cancellationToken);
        List<string> keys = [.. page.Select(a => a.Key)];
        var sessions = await SessionLocks.FingerprintsAsync(connection, (_statements.ReadSessions, [PgParameter.Texts(keys)]), cancellationToken);
        var changed = page.Where(a => a.Fingerprints.GetValueOrDefault(SourceMap.SessionName) != sessions.GetValueOrDefault(a.Key)).Select(a => a.Id).ToHashSet();
        foreach (var child in run.Source.Map.Children)
        {
            var rows = await SessionLocks.FingerprintsAsync(connection, _statements.ReadRows(child, keys), cancellationToken);
            changed.UnionWith(page.Where(a => a.Fingerprints.GetValueOrDefault(child.Name) != rows.GetValueOrDefault(a.Key)).Select(a => a.Id));
        }
        return [.. page.Where(a => changed.Contains(a.Id))];
    }

    /// <summary>A version that is gone does not come back, so what was found without a lock still holds.</summary>
    private Task<long?> SupersedeOnceAsync(IReadOnlyList<StoredArchive> changed, CancellationToken cancellationToken) => ShortTransaction.RunAsync(
        run, changed.Count, changed.Count == 1, transaction => SupersedeAsync(transaction, changed, cancellationToken), cancellationToken);

    /// <summary>Null when taking the marks back changed other rows too; then it is rolled back.</summary>
    private async Task<long?> SupersedeAsync(ShortTransaction transaction, IReadOnlyList<StoredArchive> changed, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection;
        var locks = new SessionLocks(run, connection, run.Shape, _statements);
        if (await locks.LockTablesAsync(cancellationToken) is not null)
            return 0;
        var locked = await locks.LockSessionsAsync([.. changed.Select(a => a.Key)], cancellationToken);
        var gone = locks.Dropped.Where(d => d.Reason == DropReason.Gone).Select(d => d.Key).ToHashSet(StringComparer.Ordinal);
        List<StoredArchive> over = [.. changed.Where(a => gone.Contains(a.Key) || locked.ContainsKey(a.Key))];
        if (over.Count == 0)
            return 0;
        var guard = await SideEffectGuard.BeginAsync(connection, run.Source.Map, run.Shape, cancellationToken);
        var unmarked = await new SessionMarks(run.Source.Map, run.Shape).TakeBackAsync(
            connection, [.. over.Where(a => a.Mark is not null && locked.ContainsKey(a.Key)).Select(a => (a.Key, a.Mark!))], cancellationToken);
        if (!await guard.HoldsForUpdateAsync(connection, unmarked, cancellationToken))
            return null;
        var superseded = await connection.ExecuteAsync(
            Supersede, cancellationToken, PgParameter.Bigints(over.Select(a => a.Id)),
            PgParameter.Texts(over.Select(a => gone.Contains(a.Key) ? "deleted by the application" : a.Reason)));
        await transaction.CommitAsync((other, token) => IsSupersededAsync(other, over[0].Id, token), cancellationToken);
        return superseded;
    }

    private static async Task<bool> IsSupersededAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken) =>
        await connection.ScalarAsync<string>("SELECT a.state FROM archiver.archives AS a WHERE a.id = $1", cancellationToken, PgParameter.Bigint(id)) == "superseded";
}

/// <summary>The archive of a session whose rows stay.</summary>
/// <param name="Id">Its row in the ledger.</param>
/// <param name="Key">The session key as text.</param>
/// <param name="Mark">What the mark replaced, as JSON; null where nothing was marked.</param>
/// <param name="Reason">Why it is superseded, if it is and the session is still there.</param>
internal sealed record StoredArchive(long Id, string Key, string? Mark, string Reason)
{
    /// <summary>The run counted the session as failed already.</summary>
    public bool HasFailed { get; init; }

    /// <summary>The row versions after the mark.</summary>
    public IReadOnlyDictionary<string, Fingerprint> Fingerprints { get; init; } = new Dictionary<string, Fingerprint>();
}

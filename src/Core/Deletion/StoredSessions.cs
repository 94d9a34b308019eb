using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Deletion;

/// <summary>
/// Looks after sessions that are stored while their rows stay. One whose rows are not those of its mark any more is alive again: its
/// archive becomes <c>superseded</c>, the mark is taken back, and the policy may take it as the next generation. Nothing is deleted here.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="retry">Repeats what a passing fault broke.</param>
/// <param name="superseded">Ends what is alive again.</param>
/// <param name="limit">Why the run is to stop, or null.</param>
/// <param name="except">Leaves out those of the archives whose sessions have other physical names only.</param>
/// <param name="logger">The log.</param>
internal sealed class StoredSessions(
    RunContext run,
    DatabaseRetry retry,
    SupersededSessions superseded,
    Func<CancellationToken, Task<string?>> limit,
    Func<IReadOnlyList<StoredArchive>, CancellationToken, Task<IReadOnlyList<StoredArchive>>> except,
    ILogger logger
)
{
    /// <summary>Reason of an archive whose session has other rows now.</summary>
    public const string Changed = "changed after it was stored";

    /// <summary>Reason of an archive whose session was due to be deleted, and is none that the policy would delete.</summary>
    public const string NotTaken = "no longer taken by its policy";

    private readonly DeleteStatements _statements = new(run.Source.Map, run.Shape);

    /// <summary>Compares every stored session of the policy with its rows; returns how many are superseded.</summary>
    public async Task<long> CheckAsync(CancellationToken cancellationToken)
    {
        var (after, count) = (0L, 0L);
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
                count += await superseded.SupersedeAsync(await except(changed, cancellationToken), cancellationToken);
        }
        if (count > 0)
            logger.StoredSuperseded(run.Id, count);
        return count;
    }

    /// <summary>
    /// Makes the stored copies of these sessions <c>superseded</c>: they are to be archived as they are now, which a copy that waits for
    /// its delete would prevent.
    /// </summary>
    public async Task GiveWayAsync(IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        if (keys.Count == 0)
            return;
        await superseded.SupersedeAsync(await retry.ExecuteAsync(FindAsync, cancellationToken), cancellationToken);

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
                sql,
                row => new StoredArchive(row.GetInt64(0), row.GetString(1), row.TextOrNull(2), "another generation is restored"),
                token,
                PgParameter.Text(run.Source.Name),
                PgParameter.Texts(keys)
            );
        }
    }

    // Those of a policy that is configured no more, or has another name now, are nobody's: whoever runs looks whether they changed.
    private async Task<List<StoredArchive>> PageAsync(long after, CancellationToken cancellationToken)
    {
        var sql = $"""
            SELECT a.id, a.session_id, a.fingerprints::text, a.mark::text
            FROM archiver.archives AS a
            WHERE a.source = $1 AND (a.policy = $2 OR a.policy <> ALL ($5)) AND a.state = 'stored' AND a.id > $3
              AND {run.Shard.Sql("a.session_id")}
            ORDER BY a.id
            LIMIT $4
            """;
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        return await connection.QueryAsync(
            sql,
            row => new StoredArchive(row.GetInt64(0), row.GetString(1), row.TextOrNull(3), Changed)
            {
                Fingerprints = Fingerprint.FromJson(row.GetString(2)),
            },
            cancellationToken,
            PgParameter.Text(run.Source.Name),
            PgParameter.Text(run.Policy.Name),
            PgParameter.Bigint(after),
            PgParameter.Int(run.Batch.Sessions),
            PgParameter.Texts(run.Source.Policies.Select(p => p.Name))
        );
    }

    private async Task<List<StoredArchive>> ChangedAsync(List<StoredArchive> page, CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(run.Batch.StatementTimeout), cancellationToken);
        List<string> keys = [.. page.Select(a => a.Key)];
        var sessions = await SessionLocks.FingerprintsAsync(connection, _statements.ReadSessions(keys), cancellationToken);
        var changed = page.Where(a => a.Fingerprints.GetValueOrDefault(SourceMap.SessionName) != sessions.GetValueOrDefault(a.Key))
            .Select(a => a.Id)
            .ToHashSet();
        foreach (var child in run.Source.Map.Children)
        {
            var rows = await SessionLocks.FingerprintsAsync(connection, _statements.ReadRows(child, keys), cancellationToken);
            changed.UnionWith(
                page.Where(a => a.Fingerprints.GetValueOrDefault(child.Name) != rows.GetValueOrDefault(a.Key)).Select(a => a.Id)
            );
        }
        return [.. page.Where(a => changed.Contains(a.Id))];
    }
}

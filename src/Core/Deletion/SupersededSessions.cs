using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core.Deletion;

/// <summary>
/// Makes stored copies <c>superseded</c> whose sessions go on as something else, and takes their marks back. Nothing is deleted here.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="retry">Repeats what a passing fault broke.</param>
/// <param name="outcomes">Told of what cannot be made superseded: a run that leaves it is not wholly done.</param>
/// <param name="logger">The log.</param>
internal sealed class SupersededSessions(RunContext run, DatabaseRetry retry, SessionOutcomes outcomes, ILogger logger)
{
    private const string Supersede = """
        UPDATE archiver.archives AS a
        SET state = 'superseded', reason = n.reason, ended_at = clock_timestamp()
        FROM unnest($1, $2) AS n (id, reason)
        WHERE a.id = n.id AND a.state = 'stored'
        """;

    private readonly DeleteStatements _statements = new(run.Source.Map, run.Shape);

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

    /// <summary>A version that is gone does not come back, so what was found without a lock still holds.</summary>
    private Task<long?> SupersedeOnceAsync(IReadOnlyList<StoredArchive> changed, CancellationToken cancellationToken) =>
        ShortTransaction.RunAsync(
            run,
            changed.Count,
            changed.Count == 1,
            transaction => SupersedeAsync(transaction, changed, cancellationToken),
            cancellationToken
        );

    /// <summary>Null when taking the marks back changed other rows too; then it is rolled back.</summary>
    private async Task<long?> SupersedeAsync(
        ShortTransaction transaction,
        IReadOnlyList<StoredArchive> changed,
        CancellationToken cancellationToken
    )
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
            connection,
            [.. over.Where(a => a.Mark is not null && locked.ContainsKey(a.Key)).Select(a => (a.Key, a.Mark!))],
            cancellationToken
        );
        if (!await guard.HoldsForUpdateAsync(connection, unmarked, cancellationToken))
            return null;
        var superseded = await connection.ExecuteAsync(
            Supersede,
            cancellationToken,
            PgParameter.Bigints(over.Select(a => a.Id)),
            PgParameter.Texts(over.Select(a => gone.Contains(a.Key) ? "deleted by the application" : a.Reason))
        );
        await transaction.CommitAsync((other, token) => IsSupersededAsync(other, over[0].Id, token), cancellationToken);
        return superseded;
    }

    private static async Task<bool> IsSupersededAsync(NpgsqlConnection connection, long id, CancellationToken cancellationToken) =>
        await connection.ScalarAsync<string>(
            "SELECT a.state FROM archiver.archives AS a WHERE a.id = $1",
            cancellationToken,
            PgParameter.Bigint(id)
        ) == "superseded";
}

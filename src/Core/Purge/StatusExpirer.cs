using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Purge;

/// <summary>
/// Sets the status <c>expired</c> on sessions whose time has come. It deletes nothing, and neither may a trigger that it sets off.
/// </summary>
internal sealed class StatusExpirer(RunContext run, DatabaseRetry retry) : IBatchAction
{
    public async Task<ChangedBatch> ApplyAsync(SelectedBatch batch, CancellationToken cancellationToken)
    {
        var (changed, surprise) = await TryAsync(batch, cancellationToken);
        if (changed is not null)
            return changed;
        if (batch.Sessions.Count == 1)
            return new([], 0, [new(batch.Sessions[0].Key, surprise!, Failed: true)]);
        var (first, second) = batch.Halve();
        return (await ApplyAsync(first, cancellationToken)).And(await ApplyAsync(second, cancellationToken));
    }

    /// <summary>What was committed, or why nothing was; some session of the batch is the cause, which halving finds.</summary>
    private async Task<(ChangedBatch? Changed, string? Surprise)> TryAsync(SelectedBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            return await retry.ExecuteAsync(token => ExpireOnceAsync(batch, token), cancellationToken) is { } changed
                ? (changed, null)
                : (null, DropReason.SideEffects);
        }
        catch (PostgresException exception) when (exception.IsAboutOneBatch() && !cancellationToken.IsCancellationRequested)
        {
            return (null, $"{DropReason.NotUpdated} ({exception.SqlState})");
        }
    }

    /// <summary>Null when the server did something else than update these sessions; then it is rolled back.</summary>
    private Task<ChangedBatch?> ExpireOnceAsync(SelectedBatch batch, CancellationToken cancellationToken) =>
        ShortTransaction.RunAsync(
            run,
            batch.Sessions.Count,
            batch.Sessions.Count == 1,
            transaction => ExpireAsync(transaction, batch, cancellationToken),
            cancellationToken
        );

    private async Task<ChangedBatch?> ExpireAsync(ShortTransaction transaction, SelectedBatch batch, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection;
        var locks = new SessionLocks(run, connection, run.Shape, new DeleteStatements(run.Source.Map, run.Shape));
        if (await locks.LockTablesAsync(cancellationToken) is { } reason)
            return new([], 0, batch.Dropped(reason));
        var versions = await locks.LockSessionsAsync([.. batch.Sessions.Select(s => s.Key)], cancellationToken);
        var sessions = await locks.StillEligibleAsync([.. versions.Keys], cancellationToken);
        FaultPoint.Reach(FaultPoints.ExpireLocked);

        var guard = await SideEffectGuard.BeginAsync(connection, run.Source.Map, run.Shape, cancellationToken);
        var update = new SessionUpdate(run.Source.Map, run.Shape);
        var expired = await update.SetStatusAsync(connection, sessions, SessionStatus.Expired, cancellationToken);
        await connection.ExecuteAsync(ApplicationPath.FireAndLeave, cancellationToken);
        if (expired.Count != sessions.Count || !await guard.HoldsForUpdateAsync(connection, expired.Count, cancellationToken))
            return null;
        if (expired.Count > 0)
        {
            FaultPoint.Reach(FaultPoints.ExpireUpdated);
            await LifecycleRecords.WriteAsync(connection, run, "expire", expired.Count, 0, cancellationToken);
            FaultPoint.Reach(FaultPoints.ExpireRecorded);
            var entries = await LifecycleRecords.CountAsync(connection, run, cancellationToken);
            await transaction.CommitAsync(
                async (other, token) => await LifecycleRecords.CountAsync(other, run, token) >= entries,
                cancellationToken
            );
        }
        return new(expired, 0, locks.Dropped);
    }
}

using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Npgsql;

namespace Archiver.Core.Lifecycle;

/// <summary>Sets the status <c>expired</c> on sessions whose time has come. It deletes nothing, and neither may a trigger that it sets off.</summary>
internal sealed class StatusExpirer(RunContext run, DatabaseRetry retry) : IBatchAction
{
    public async Task<ChangedBatch> ApplyAsync(SelectedBatch batch, CancellationToken cancellationToken)
    {
        var (changed, surprise) = await TryAsync(batch, cancellationToken).ConfigureAwait(false);
        if (changed is not null)
            return changed;
        if (batch.Sessions.Count == 1)
            return new([], 0, [new(batch.Sessions[0].Key, surprise!, Failed: true)]);
        var (first, second) = batch.Halve();
        return (await ApplyAsync(first, cancellationToken).ConfigureAwait(false)).And(await ApplyAsync(second, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>What was committed, or why nothing was; some session of the batch is the cause, which halving finds.</summary>
    private async Task<(ChangedBatch? Changed, string? Surprise)> TryAsync(SelectedBatch batch, CancellationToken cancellationToken)
    {
        try
        {
            return await retry.ExecuteAsync(token => ExpireOnceAsync(batch, token), cancellationToken).ConfigureAwait(false) is { } changed
                ? (changed, null)
                : (null, DropReason.SideEffects);
        }
        catch (PostgresException exception) when (exception.IsAboutOneBatch() && !cancellationToken.IsCancellationRequested)
        {
            return (null, $"{DropReason.NotUpdated} ({exception.SqlState})");
        }
    }

    /// <summary>Null when the server did something else than update these sessions; then it is rolled back.</summary>
    private Task<ChangedBatch?> ExpireOnceAsync(SelectedBatch batch, CancellationToken cancellationToken) => ShortTransaction.RunAsync(
        run, batch.Sessions.Count, batch.Sessions.Count == 1, transaction => ExpireAsync(transaction, batch, cancellationToken), cancellationToken);

    private async Task<ChangedBatch?> ExpireAsync(ShortTransaction transaction, SelectedBatch batch, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection;
        var locks = new SessionLocks(run, connection, run.Shape, new DeleteStatements(run.Source.Map, run.Shape));
        if (await locks.LockTablesAsync(cancellationToken).ConfigureAwait(false) is { } reason)
            return new([], 0, [.. batch.Sessions.Select(s => new DroppedSession(s.Key, reason, Failed: false))]);
        var versions = await locks.LockSessionsAsync([.. batch.Sessions.Select(s => s.Key)], cancellationToken).ConfigureAwait(false);
        var sessions = await locks.StillEligibleAsync([.. versions.Keys], cancellationToken).ConfigureAwait(false);
        FaultPoint.Reach(FaultPoints.ExpireLocked);

        var guard = await SideEffectGuard.BeginAsync(connection, run.Source.Map, run.Shape, cancellationToken).ConfigureAwait(false);
        var update = new SessionUpdate(run.Source.Map, run.Shape);
        var expired = await update.SetStatusAsync(connection, sessions, SessionStatus.Expired, cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync(ApplicationPath.FireAndLeave, cancellationToken).ConfigureAwait(false);
        if (expired.Count != sessions.Count || !await guard.HoldsForUpdateAsync(connection, expired.Count, cancellationToken).ConfigureAwait(false))
            return null;
        if (expired.Count > 0)
        {
            FaultPoint.Reach(FaultPoints.ExpireUpdated);
            await LifecycleRecords.WriteAsync(connection, run, "expire", expired.Count, 0, cancellationToken).ConfigureAwait(false);
            FaultPoint.Reach(FaultPoints.ExpireRecorded);
            var entries = await LifecycleRecords.CountAsync(connection, run, cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(async (other, token) => await LifecycleRecords.CountAsync(other, run, token).ConfigureAwait(false) >= entries, cancellationToken).ConfigureAwait(false);
        }
        return new(expired, 0, locks.Dropped);
    }
}

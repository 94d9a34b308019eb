using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Core.Import;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Core.Spool;
using Archiver.Core.Storage;

namespace Archiver.Core.Reconciliation;

/// <summary>Says which abandoned objects may go, and with fix removes them.</summary>
internal sealed class SuperfluousRemoval(ReconcileScope scope, BucketScan scan)
{
    private const string MarkRemoved =
        $"UPDATE archiver.objects AS o SET reason = {RemovedObjects.Reason}, ended_at = clock_timestamp() "
        + "WHERE o.id = $1 AND o.state = 'abandoned'";

    // Of an abandoned object only the ids are known, so any hold by user or range may cover it.
    private static readonly string IsHeld = $"""
        SELECT EXISTS (
          SELECT FROM archiver.objects AS o CROSS JOIN LATERAL unnest(o.members) AS m (session_id)
          WHERE o.id = $1 AND NOT ({HoldCondition.IdNotHeld("o.source", "m.session_id")}))
        """;

    /// <summary>Returns the keys of those that may go, or went, and the others with the reason why they stay.</summary>
    public async Task<(IReadOnlyList<string> Removable, IReadOnlyList<SkippedObject> Kept)> RemoveAsync(
        IReadOnlyList<AbandonedObject> abandoned,
        CancellationToken cancellationToken
    )
    {
        var (source, connection) = (scope.Source, scope.Connection);
        var target = await RestoreTarget.DescribeAsync(connection, source.Map, cancellationToken);
        using var plans = new ImportPlans(target, DriftOptions.None, scope.Connections.OpenAsync, source.TimeZone);
        var live = new LiveDocuments(connection, scope.Store, source, target, plans);
        var superfluous = new SuperfluousObjects(connection, scope.Store, source, scope.Database, scan, live);
        var confirmed = await ConfirmedObjects.ReadAsync(connection, scope.Store, source, abandoned, cancellationToken);
        List<string> removable = [];
        List<SkippedObject> kept = [];
        foreach (var candidate in abandoned)
        {
            var reason = await WhyKeptAsync(superfluous, candidate, confirmed, cancellationToken);
            if (reason is null && scope.Fix)
                reason = await RemoveAsync(candidate, cancellationToken);
            if (reason is null)
                removable.Add(candidate.Name.Key);
            else
                kept.Add(new(candidate.Name.Key, reason));
        }
        return (removable, kept);
    }

    // One that the store does not give is one of which nobody can say what is in it.
    private async Task<string?> WhyKeptAsync(
        SuperfluousObjects superfluous,
        AbandonedObject candidate,
        ConfirmedObjects confirmed,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await superfluous.WhyKeptAsync(candidate, confirmed, cancellationToken);
        }
        catch (StorageException exception)
        {
            if (await ObjectFailure.DescribeAsync(scope.Store, scope.Source.Prefix, exception, cancellationToken) is null)
                throw;
            return $"the store does not give what is needed to decide: {exception.Message}";
        }
    }

    /// <summary>Removes one object, unless a hold covers it or the store refuses: then the reason why it stays.</summary>
    /// <exception cref="StorageException">The store does not answer. What was removed before is in the audit.</exception>
    private async Task<string?> RemoveAsync(AbandonedObject abandoned, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        // Held to the end: a hold that is added meanwhile waits, and then covers what is left.
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await HoldLock.TakeSharedAsync(connection, scope.Source.Name, cancellationToken);
        if (await connection.ScalarAsync<bool>(IsHeld, cancellationToken, PgParameter.Bigint(abandoned.Id)))
            return SuperfluousObjects.Held;
        await scope.Lease.RequireAsync(
            connection,
            scope.Source.Name,
            "What was removed before was superfluous; the rest was left alone.",
            cancellationToken
        );
        // Object first: a crash in between leaves a row of an object that is gone, which the next reconcile settles.
        var outcome = await scope.Store.DeleteAllVersionsAsync([abandoned.Name], cancellationToken);
        if (outcome.Outage is { } outage)
            throw outage;
        if (outcome.Failures.TryGetValue(abandoned.Name.Key, out var refused))
            return refused.Message;
        await connection.ExecuteAsync(MarkRemoved, cancellationToken, PgParameter.Bigint(abandoned.Id));
        // Not with the rest at the end: whatever fails before that, what is gone is accounted for.
        await AuditLog.WriteAsync(
            connection,
            new(scope.Who, "reconcile", scope.Source.Name, Counts: new Dictionary<string, long> { ["removed"] = 1 }),
            cancellationToken
        );
        await scope.Lease.CommitAsync(scope.Connections, connection, transaction, cancellationToken);
        return null;
    }
}

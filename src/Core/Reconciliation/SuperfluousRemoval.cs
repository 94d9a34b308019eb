using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Core.Import;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Core.Storage;

namespace Archiver.Core.Reconciliation;

/// <summary>Says which abandoned objects may go, and with fix removes them.</summary>
internal sealed class SuperfluousRemoval(ReconcileScope scope, BucketScan scan)
{
    private const string MarkRemoved =
        "UPDATE archiver.objects AS o SET reason = 'removed by reconcile', ended_at = clock_timestamp() "
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
            var reason = await superfluous.WhyKeptAsync(candidate, confirmed, cancellationToken);
            if (reason is null && scope.Fix)
                reason = await RemoveAsync(candidate, cancellationToken);
            if (reason is null)
                removable.Add(candidate.Name.Key);
            else
                kept.Add(new(candidate.Name.Key, reason));
        }
        return (removable, kept);
    }

    /// <summary>Removes one object, unless a hold covers it: then the reason why it stays.</summary>
    private async Task<string?> RemoveAsync(AbandonedObject abandoned, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        // Held to the end: a hold that is added meanwhile waits, and then covers what is left.
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await HoldLock.TakeSharedAsync(connection, scope.Source.Name, cancellationToken);
        if (await connection.ScalarAsync<bool>(IsHeld, cancellationToken, PgParameter.Bigint(abandoned.Id)))
            return SuperfluousObjects.Held;
        if (!await scope.Lease.IsHeldAsync(connection, cancellationToken))
            throw new ArchiverException(
                FailureKind.Failed,
                $"The lock on source '{scope.Source.Name}' was lost. What was removed before was superfluous; the rest was left alone."
            );
        // Object first: a crash in between leaves a row of an object that is gone, which the next reconcile settles.
        await scope.Store.DeleteAllVersionsAsync(abandoned.Name, cancellationToken);
        await connection.ExecuteAsync(MarkRemoved, cancellationToken, PgParameter.Bigint(abandoned.Id));
        await scope.Lease.CommitAsync(scope.Connections, connection, transaction, cancellationToken);
        return null;
    }
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Ownership;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Discard;

/// <summary>The steps of a discard, each in transactions of its own.</summary>
internal sealed class DiscardSteps(ManualScope scope, DiscardQueue queue, ArchiverSettings settings, IArchiveStore store, string who)
{
    /// <summary>What stopped it between two pages, as a message says it; null while nothing did.</summary>
    public string? Paused { get; private set; }

    /// <summary>
    /// What was being destroyed when a process died, and then was held: it is still there, or the ledger has to say that it is gone.
    /// </summary>
    public async Task SettleInterruptedAsync(CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        foreach (var old in await queue.InterruptedAsync(cancellationToken))
        {
            if ((await new AllObjects(store).FindAsync(old.Whole, cancellationToken)).Count > 0)
                await connection.ExecuteAsync(DiscardStatements.GiveUpRemoval, cancellationToken, PgParameter.Bigints([old.Id]));
            else
                await RecordLostAsync(old, cancellationToken);
        }
    }

    private async Task RecordLostAsync(OldObject old, CancellationToken cancellationToken)
    {
        // Of its own: an answer to its commit that is lost takes its connection with it, and the rest goes on.
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await DiscardRecords.WriteAsync(scope, connection, who, [old], cancellationToken);
        await scope.CommitAsync(connection, transaction, cancellationToken);
    }

    /// <summary>Asked before each page: what is destroyed cannot be put back, so whoever pauses it does not wait for its end.</summary>
    public async Task<bool> IsPausedAsync(CancellationToken cancellationToken) =>
        (Paused ??= await scope.PausedByAsync(Discarder.Name, cancellationToken)) is not null;

    /// <summary>Announces what is old enough to be; a later discard destroys it.</summary>
    public async Task<DiscardCount> AnnounceAsync(CancellationToken cancellationToken)
    {
        var announced = DiscardCount.None;
        for (var last = 0L; await queue.PageAsync("unannounced", last, cancellationToken) is { Count: > 0 } page; last = page[^1].Id)
        {
            if (await IsPausedAsync(cancellationToken))
                break;
            await using var connection = await scope.Connections.OpenAsync(cancellationToken);
            await using var transaction = await BeginAsync(connection, cancellationToken);
            var still = await queue.StillAsync(connection, "unannounced", page, cancellationToken);
            await connection.ExecuteAsync(DiscardStatements.Announce, cancellationToken, PgParameter.Bigints(still.Select(o => o.Id)));
            var count = DiscardCount.Of(still);
            await DiscardRecords.AuditAsync(
                connection,
                scope,
                who,
                new() { ["announced_objects"] = count.Objects, ["announced_archives"] = count.Archives },
                cancellationToken
            );
            await scope.CommitAsync(connection, transaction, cancellationToken);
            FaultPoint.Reach(FaultPoints.DiscardAnnounced);
            announced = announced.And(count);
        }
        return announced;
    }

    /// <summary>Destroys what is still due of a page; an outage of the store is returned, for what went before it is recorded.</summary>
    public async Task<(DiscardCount Discarded, IReadOnlyList<ObjectFailure> Failed, StorageException? Outage)> DestroyAsync(
        IReadOnlyList<OldObject> page,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        await using var transaction = await BeginAsync(connection, cancellationToken);
        var still = await queue.StillAsync(connection, "due", page, cancellationToken);
        var found = await new RemovalCheck(store, new(store, scope.Database)).WhyKeptAsync(
            still.Select(o => (o.Name, o.Length)),
            settings.Storage.UploadConcurrency,
            cancellationToken
        );
        List<OldObject> due = [.. still.Where(o => found.GetValueOrDefault(o.Key) is null)];
        await scope.RequireLeaseAsync(connection, cancellationToken);
        await DiscardRecords.BeginRemovalAsync(scope, due, cancellationToken);
        FaultPoint.Reach(FaultPoints.DiscardBegun);

        var outcome = await store.DeleteAllVersionsAsync([.. due.Select(o => o.Whole)], cancellationToken);
        FaultPoint.Reach(FaultPoints.DiscardRemoved);
        List<OldObject> gone = [.. due.Where(o => outcome.IsGone(o.Key))];
        await DiscardRecords.WriteAsync(scope, connection, who, gone, cancellationToken);
        await scope.CommitAsync(connection, transaction, cancellationToken);
        FaultPoint.Reach(FaultPoints.DiscardRecorded);
        var failures = outcome
            .Failures.Select(f => new ObjectFailure(f.Key, f.Value.Message))
            .Concat(found.Where(f => f.Value is not null).Select(f => new ObjectFailure(f.Key, $"it is {f.Value}")));
        return (DiscardCount.Of(gone), [.. failures], outcome.Outage);
    }

    private Task<NpgsqlTransaction> BeginAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        RemovalTransaction.BeginAsync(connection, scope.Source.Name, settings, cancellationToken, settings.Batch.StatementTimeout * 10);
}

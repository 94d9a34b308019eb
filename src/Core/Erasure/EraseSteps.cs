using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Ownership;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;

namespace Archiver.Core.Erasure;

/// <summary>
/// The steps of an erasure. Their order is chosen by the crash we prefer: tombstones first, so that nothing comes back; the ledger's text last,
/// so that whatever is left is still found by its id and a later erasure ends it.
/// </summary>
internal sealed class EraseSteps(ManualScope scope, SourceShape shape, ArchiverSettings settings, IArchiveStore store, TimeProvider time, EraseWork work, EraseRequest request, string who)
{
    /// <summary>Times that rows are deleted which come while a session is erased.</summary>
    private const int Passes = 3;

    /// <summary>Erases what is free; what stays is in the work, with its reason.</summary>
    /// <param name="receipt">What is known by now.</param>
    /// <param name="report">Told after each step, so that a failure leaves a true receipt.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    public async Task EraseAsync(EraseReceipt receipt, Action<EraseReceipt> report, CancellationToken cancellationToken)
    {
        if (work.Free.Count == 0)
        {
            if (request.Reapply)
                await SeeAsync(work.Tombstones, cancellationToken);
            return;
        }
        if (work.Owners.Count > 0)
        {
            await using var connection = await scope.Connections.OpenAsync(cancellationToken);
            await UnknownOwners.LearnAsync(connection, scope.Source, work.Owners, cancellationToken);
        }
        // A user with a held session gets no tombstone: what is held must stay restorable.
        var user = work.Sessions.Any(s => s.State == ErasedSession.Held) ? null : request.User;
        var buried = request.Reapply ? [] : await BuryAsync(user, cancellationToken);
        report(receipt = receipt with { Tombstones = buried.Count });
        await EraseTextAsync(user, cancellationToken);

        var rows = new EraseRows(Context(), new DatabaseRetry(settings.Retry, time), who, request.Reason);
        foreach (var chunk in work.Free.Chunk(settings.Batch.Sessions))
        {
            HashSet<string> kept = new(StringComparer.Ordinal);
            var left = chunk;
            for (var pass = 0; left.Length > 0 && pass < Passes; pass++)
            {
                var (deleted, dropped) = await rows.DeleteAsync(left, cancellationToken);
                report(receipt = receipt with { Rows = receipt.Rows + deleted });
                foreach (var session in dropped)
                    work.Keep(session.Key, session.Reason == DropReason.Held ? ErasedSession.Held : ErasedSession.Remaining, $"its live rows: {session.Reason}");
                kept.UnionWith(dropped.Select(d => d.Key));
                left = [.. (await rows.LeftAsync(left, cancellationToken)).Except(kept)];
            }
            foreach (var session in left)
                work.Keep(session, ErasedSession.Remaining, "its live rows: others came while they were erased");
        }
        var objects = new EraseObjects(scope, shape, store, settings, who, request.Reason, work);
        try
        {
            await objects.EraseAsync(cancellationToken);
        }
        finally
        {
            receipt = receipt with { Archives = objects.Archives, Objects = objects.Removed, Bundles = objects.Bundles, Manifests = objects.Manifests };
            report(receipt);
        }
        await SeeAsync(request.Reapply ? work.Tombstones : buried, cancellationToken);
    }

    // Before the rest, by which the sessions are found: what is left of these after a crash would be found by nobody.
    private async Task EraseTextAsync(string? user, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.Common + TransactionSettings.Change, cancellationToken);
        await EraseLedger.RestAsync(connection, scope.Source.Name, work.Free, user, SameUser.Column(scope.Source.Map, shape), cancellationToken);
        await scope.Lease.CommitAsync(scope.Connections, connection, transaction, cancellationToken);
        FaultPoint.Reach(FaultPoints.EraseTextErased);
    }

    // At the end: until then runs of this source refuse, because an erasure that was begun must be ended.
    private async Task SeeAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        await Erasures.AddAsync(connection, scope.Source.Name, names, cancellationToken);
    }

    /// <summary>Tombstones in the bucket, before anything is destroyed; their names. Under the hold lock: what is held is not buried.</summary>
    private async Task<IReadOnlyList<string>> BuryAsync(string? user, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.Common + TransactionSettings.Change + TransactionSettings.Timeout("idle_in_transaction_session_timeout", (settings.Retry.Budget + settings.Storage.Timeout) * 2), cancellationToken);
        await HoldLock.TakeSharedAsync(connection, scope.Source.Name, cancellationToken);
        foreach (var session in await HeldSessions.FindAsync(connection, scope.Source, shape, work.Free, cancellationToken))
            work.Keep(session, ErasedSession.Held, "under a legal hold");
        await PrefixOwner.RequireAsync(connection, store, scope.Source, scope.Database, cancellationToken);
        var writer = new TombstoneWriter(store, scope.Source, scope.Database, scope.RunId, settings.Storage.UploadConcurrency);
        var names = await writer.WriteAsync(work.Free, user is null ? [] : SameUser.Spellings(SameUser.Column(scope.Source.Map, shape), user), scope.Now, cancellationToken);
        FaultPoint.Reach(FaultPoints.EraseBuried);
        await scope.Lease.CommitAsync(scope.Connections, connection, transaction, cancellationToken);
        return names;
    }

    private RunContext Context() => new()
    {
        Id = scope.RunId,
        Source = scope.Source,
        // Only its name counts here: nothing is selected by it.
        Policy = new Policy { Source = scope.Source.Name, Name = Eraser.Name, Action = PolicyAction.Purge },
        Batch = settings.Batch,
        Cutoffs = new Cutoffs(scope.Now),
        Database = scope.Database,
        Shape = shape,
        Connections = scope.Connections,
        Lease = scope.Lease,
    };
}

using System.Globalization;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Archiver.Core.Tombstones;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core.Lifecycle;

/// <summary>
/// The right to erasure: live rows, every archive and copy, manifests and the ledger's text of sessions. The order is chosen by the crash we
/// prefer: tombstones first, so that nothing comes back; the ledger's text last, so that whatever is left is still found by its id and
/// a later erasure ends it. What a hold covers is not touched; what cannot be erased is reported, never called done.
/// </summary>
internal sealed class Eraser(ArchiverSettings settings, ConnectionCatalog connections, IArchiveStore store, TimeProvider time, ILogger<Eraser> logger)
{
    public const string Name = "erase";

    /// <summary>What an erasure would find; changes nothing.</summary>
    /// <exception cref="ArchiverException">The source is not fit, or the tombstones cannot be read.</exception>
    public async Task<EraseReceipt> PlanAsync(SourceSettings source, EraseRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken).ConfigureAwait(false);
        await Migrator.RequireCurrentAsync(connection, cancellationToken).ConfigureAwait(false);
        var shape = await InspectAsync(connection, source, cancellationToken).ConfigureAwait(false);
        var (database, now) = await RunScope.IdentifyAsync(connection, cancellationToken).ConfigureAwait(false);
        var work = await FindAsync(connection, source, shape, database, request, cancellationToken).ConfigureAwait(false);
        var objects = await EraseObject.FindAsync(connection, source.Name, work.Free, cancellationToken).ConfigureAwait(false);
        return work.Receipt(source.Name) with
        {
            At = Text(now),
            Plan = true,
            Rows = await CountRowsAsync(connection, source, shape, work.Free, cancellationToken).ConfigureAwait(false),
            Archives = await connection.ScalarAsync<long>(
                "SELECT count(*) FROM archiver.archives AS a WHERE a.source = $1 AND a.session_id = ANY ($2) AND a.state <> 'erased'", cancellationToken,
                PgParameter.Text(source.Name), PgParameter.Texts(work.Free)).ConfigureAwait(false),
            Objects = objects.Count(o => !o.IsGone) + work.Unrecorded.Count,
            Bundles = objects.Count(o => !o.IsGone && o.Members.Any(m => !work.IsFree(m))),
        };
    }

    /// <summary>Erases; the outcome is in the receipt, whatever it is.</summary>
    public async Task<EraseReceipt> RunAsync(SourceSettings source, EraseRequest request, string who, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var receipt = new EraseReceipt { Source = source.Name, Outcome = RunOutcome.Done };
        EraseWork? work = null;
        async Task WorkAsync(ManualScope scope, CancellationToken token)
        {
            receipt = receipt with { At = Text(scope.Now) };
            await using var connection = await scope.Connections.OpenAsync(token).ConfigureAwait(false);
            var shape = await InspectAsync(connection, source, token).ConfigureAwait(false);
            work = await FindAsync(connection, source, shape, scope.Database, request, token).ConfigureAwait(false);
            receipt = await EraseAsync(scope, shape, work, request, who, r => receipt = r, receipt, token).ConfigureAwait(false);
        }
        var run = await new ManualRun(settings, connections, time, logger).ExecuteAsync(
            source, Name, WorkAsync,
            () => new()
            {
                Source = source.Name,
                Policy = Name,
                Outcome = work is null || work.IsComplete ? RunOutcome.Done : RunOutcome.Partial,
                Selected = work?.Sessions.Count ?? 0,
                Failed = work?.Sessions.Count(s => s.State == ErasedSession.Remaining) ?? 0,
                Skipped = work?.Sessions.Count(s => s.State == ErasedSession.Held) ?? 0,
            }, cancellationToken).ConfigureAwait(false);
        receipt = (work?.Receipt(source.Name) ?? receipt) with
        {
            RunId = run.RunId,
            At = receipt.At,
            Outcome = run.Outcome,
            Error = run.Error,
            Rows = receipt.Rows,
            Archives = receipt.Archives,
            Objects = receipt.Objects,
            Bundles = receipt.Bundles,
            Manifests = receipt.Manifests,
            Tombstones = receipt.Tombstones,
        };
        var elapsed = (long)time.GetElapsedTime(started).TotalMilliseconds;
        var (erased, held, remaining) = (Count(receipt, ErasedSession.Erased), Count(receipt, ErasedSession.Held), Count(receipt, ErasedSession.Remaining));
        logger.EraseEnded(run.RunId, source.Name, receipt.Outcome, erased, receipt.Rows, receipt.Objects, held, remaining, elapsed);
        return receipt;
    }

    private async Task<EraseReceipt> EraseAsync(
        ManualScope scope, SourceShape shape, EraseWork work, EraseRequest request, string who, Action<EraseReceipt> report, EraseReceipt receipt, CancellationToken cancellationToken)
    {
        if (work.Free.Count == 0)
        {
            if (request.Reapply)
                await SeeAsync(scope, work.Tombstones, cancellationToken).ConfigureAwait(false);
            return receipt;
        }
        // A user with a held session gets no tombstone: what is held must stay restorable.
        var user = work.Sessions.Any(s => s.State == ErasedSession.Held) ? null : request.User;
        var buried = request.Reapply ? [] : await BuryAsync(scope, shape, work, user, cancellationToken).ConfigureAwait(false);
        report(receipt = receipt with { Tombstones = buried.Count });
        await EraseTextAsync(scope, work, user, cancellationToken).ConfigureAwait(false);

        var rows = new EraseRows(ContextOf(scope, shape), new DatabaseRetry(settings.Retry, time), who, request.Reason);
        foreach (var chunk in work.Free.Chunk(settings.Batch.Sessions))
        {
            var (deleted, dropped) = await rows.DeleteAsync(chunk, cancellationToken).ConfigureAwait(false);
            report(receipt = receipt with { Rows = receipt.Rows + deleted });
            foreach (var session in dropped)
                work.Keep(session.Key, session.Reason == DropReason.Held ? ErasedSession.Held : ErasedSession.Remaining, $"its live rows: {session.Reason}");
        }
        var objects = new EraseObjects(scope, shape, store, settings, who, request.Reason, work);
        try
        {
            await objects.EraseAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            receipt = receipt with { Archives = objects.Archives, Objects = objects.Removed, Bundles = objects.Bundles, Manifests = objects.Manifests };
            report(receipt);
        }
        await SeeAsync(scope, request.Reapply ? work.Tombstones : buried, cancellationToken).ConfigureAwait(false);
        return receipt;
    }

    // Before the rest, by which the sessions are found: what is left of these after a crash would be found by nobody.
    private static async Task EraseTextAsync(ManualScope scope, EraseWork work, string? user, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await EraseLedger.RestAsync(connection, scope.Source.Name, work.Free, user, cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        FaultPoint.Reach(FaultPoints.EraseTextErased);
    }

    // At the end: until then runs of this source refuse, because an erasure that was begun must be ended.
    private static async Task SeeAsync(ManualScope scope, IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await Erasures.AddAsync(connection, scope.Source.Name, names, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Tombstones in the bucket, before anything is destroyed; their names. Under the hold lock: what is held is not buried.</summary>
    private async Task<IReadOnlyList<string>> BuryAsync(ManualScope scope, SourceShape shape, EraseWork work, string? user, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync(TransactionSettings.Common + TransactionSettings.Timeout("idle_in_transaction_session_timeout", (settings.Retry.Budget + settings.Storage.Timeout) * 2), cancellationToken).ConfigureAwait(false);
        await HoldLock.TakeSharedAsync(connection, scope.Source.Name, cancellationToken).ConfigureAwait(false);
        foreach (var session in await HeldSessions.FindAsync(connection, scope.Source, shape, work.Free, cancellationToken).ConfigureAwait(false))
            work.Keep(session, ErasedSession.Held, "under a legal hold");
        var writer = new TombstoneWriter(store, scope.Source, scope.Database, scope.RunId, settings.Storage.UploadConcurrency);
        var names = await writer.WriteAsync(work.Free, user, scope.Now, cancellationToken).ConfigureAwait(false);
        FaultPoint.Reach(FaultPoints.EraseBuried);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return names;
    }

    private async Task<EraseWork> FindAsync(
        NpgsqlConnection connection, SourceSettings source, SourceShape shape, DatabaseIdentity database, EraseRequest request, CancellationToken cancellationToken)
    {
        var tombstones = await new TombstoneReader(store).LoadAsync(source, cancellationToken).ConfigureAwait(false);
        var targets = new EraseTargets(connection, source, shape, database, store);
        await targets.ReadUnrecordedAsync(cancellationToken).ConfigureAwait(false);
        var work = new EraseWork(targets.Unrecorded, [.. tombstones.Tombstones.Select(t => t.Name)]);
        if (request.Reapply)
        {
            var (erased, reused) = await targets.OfTombstonesAsync(tombstones, cancellationToken).ConfigureAwait(false);
            work.Add(erased);
            work.Add(reused);
            foreach (var session in reused)
                work.Keep(session, ErasedSession.Remaining, EraseWork.Reused);
        }
        if (request.User is not null)
            work.Add(await targets.OfUserAsync(request.User, cancellationToken).ConfigureAwait(false));
        var ids = new SessionIds(connection, source, shape);
        foreach (var id in request.Ids)
        {
            List<string> found = [.. await ids.FindAsync(id, cancellationToken).ConfigureAwait(false)];
            if (found.Count == 0 && targets.IsUnrecorded(id))
                found.Add(id);
            work.Add(found);
            if (found.Count == 0)
                (tombstones.Covers(await ids.CanonicalAsync(id, cancellationToken).ConfigureAwait(false) ?? id, null, null, null) ? work.ErasedBefore : work.Unknown).Add(id);
        }
        foreach (var session in await HeldSessions.FindAsync(connection, source, shape, work.Free, cancellationToken).ConfigureAwait(false))
            work.Keep(session, ErasedSession.Held, "under a legal hold");
        return work;
    }

    private async Task<SourceShape> InspectAsync(NpgsqlConnection connection, SourceSettings source, CancellationToken cancellationToken) =>
        (await SourceInspector.InspectAsync(connection, source, cancellationToken, settings.Batch.LockTimeout).ConfigureAwait(false)).Require(source.Name);

    private RunContext ContextOf(ManualScope scope, SourceShape shape) => new()
    {
        Id = scope.RunId,
        Source = scope.Source,
        // Only its name counts here: nothing is selected by it.
        Policy = new Policy { Source = scope.Source.Name, Name = Name, Action = PolicyAction.Purge },
        Batch = settings.Batch,
        Cutoffs = new Cutoffs(scope.Now),
        Database = scope.Database,
        Shape = shape,
        Connections = scope.Connections,
        Lease = scope.Lease,
    };

    private static async Task<long> CountRowsAsync(NpgsqlConnection connection, SourceSettings source, SourceShape shape, IReadOnlyCollection<string> sessions, CancellationToken cancellationToken)
    {
        var condition = $"= ANY ($1::{shape.KeyType(source.Map)}[])";
        var rows = await connection.ScalarAsync<long>(
            $"SELECT count(*) FROM {source.Map.Session.Table.Sql} AS s WHERE {SessionPath.Column("s", source.Map.Session.Key)} {condition}", cancellationToken, PgParameter.Texts(sessions)).ConfigureAwait(false);
        foreach (var child in source.Map.Children)
        {
            var path = SessionPath.Of(source.Map, child);
            rows += await connection.ScalarAsync<long>($"SELECT count(*) FROM {path.From(child)} WHERE {path.Where(condition)}", cancellationToken, PgParameter.Texts(sessions)).ConfigureAwait(false);
        }
        return rows;
    }

    private static int Count(EraseReceipt receipt, string state) => receipt.Sessions.Count(s => s.State == state);

    private static string Text(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

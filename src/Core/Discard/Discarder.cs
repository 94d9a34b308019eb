using Archiver.Core.Diagnostics;
using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Ownership;
using Archiver.Core.Postgres;
using Archiver.Core.Reconciliation;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core.Discard;

/// <summary>
/// The end of life of archives: objects older than <c>Discard:After</c> are announced, and once <c>Discard:Notice</c> has passed destroyed in
/// every version. First the objects, confirmed absent, then the ledger: a crash in between leaves rows of objects that are gone, which the
/// next discard settles, never an object that the ledger calls discarded.
/// </summary>
internal sealed class Discarder(ArchiverSettings settings, ConnectionCatalog connections, IArchiveStore store, TimeProvider time, ILogger<Discarder> logger)
{
    public const string Name = "discard";

    /// <summary>Counts what a discard would do now; changes nothing.</summary>
    /// <exception cref="ArchiverException">Nothing may be discarded: no age is configured, or the ledger belongs to another database.</exception>
    public async Task<DiscardReport> PlanAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        var after = RequireAge();
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        await Migrator.RequireCurrentAsync(connection, cancellationToken);
        await SourceRegistry.CheckAsync(connection, source, cancellationToken);
        LedgerOwner.Require((await DatabaseIdentity.ReadAsync(connection, cancellationToken)).Database);
        return await QueueOf(source, after).CountAsync(connection, cancellationToken);
    }

    /// <summary>Announces what is to be announced and destroys what is due; the outcome is in the report, whatever it is.</summary>
    /// <exception cref="ArchiverException">Nothing may be discarded, because no age is configured.</exception>
    public async Task<DiscardReport> RunAsync(SourceSettings source, string who, CancellationToken cancellationToken)
    {
        var (after, started) = (RequireAge(), time.GetTimestamp());
        var report = new DiscardReport { Source = source.Name, Outcome = RunOutcome.Done };
        List<ObjectFailure> failed = [];
        async Task WorkAsync(ManualScope scope, CancellationToken token)
        {
            await using (var connection = await scope.Connections.OpenAsync(token))
                await StoreWitness.RequireAsync(connection, store, source, token);
            var queue = QueueOf(source, after);
            await SettleInterruptedAsync(scope, queue, who, token);
            report = report with { Announced = await AnnounceAsync(scope, queue, who, token) };
            for (var last = 0L; await queue.PageAsync("due", last, token) is { Count: > 0 } page; last = page[^1].Id)
            {
                var (discarded, failures, outage) = await DestroyAsync(scope, queue, who, page, token);
                report = report with { Discarded = report.Discarded.And(discarded) };
                failed.AddRange(failures);
                if (outage is not null)
                    throw outage;
            }
        }
        var run = await new ManualRun(settings, connections, time, logger).ExecuteAsync(
            source, Name, WorkAsync,
            () => new() { Source = source.Name, Policy = Name, Outcome = failed.Count > 0 ? RunOutcome.Partial : RunOutcome.Done, Selected = report.Discarded.Objects + failed.Count, Failed = failed.Count },
            cancellationToken);
        report = report with { RunId = run.RunId, Outcome = run.Outcome, Error = run.Error, Failed = failed };
        if (run.RunId != Guid.Empty && run.Outcome is RunOutcome.Done or RunOutcome.Partial)
            report = await WithRestAsync(report, source, after, cancellationToken);
        var elapsed = (long)time.GetElapsedTime(started).TotalMilliseconds;
        logger.DiscardEnded(run.RunId, source.Name, report.Outcome, report.Discarded.Objects, report.Discarded.Archives, report.Announced.Archives, report.Held.Archives, failed.Count, elapsed);
        return report;
    }

    private DiscardQueue QueueOf(SourceSettings source, TimeSpan after) => new(connections[source.Name], settings, store.Location, source, after);

    private TimeSpan RequireAge() => settings.Discard.After ?? throw new ArchiverException(
        FailureKind.Configuration, "Archiver:Discard:After is not set, so archives are kept for ever and nothing is discarded.");

    private async Task<DiscardReport> WithRestAsync(DiscardReport report, SourceSettings source, TimeSpan after, CancellationToken cancellationToken)
    {
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        var rest = await QueueOf(source, after).CountAsync(connection, cancellationToken);
        return report with { Waiting = rest.Waiting, Held = rest.Held, Unknown = rest.Unknown, NextDue = rest.NextDue };
    }

    /// <summary>What was being destroyed when a process died, and then was held: it is still there, or the ledger has to say that it is gone.</summary>
    private async Task SettleInterruptedAsync(ManualScope scope, DiscardQueue queue, string who, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        foreach (var old in await queue.InterruptedAsync(connection, cancellationToken))
        {
            if ((await new AllObjects(store).FindAsync(old.Name, cancellationToken)).Count > 0)
                await connection.ExecuteAsync(DiscardStatements.GiveUpRemoval, cancellationToken, PgParameter.Bigints([old.Id]));
            else
                await RecordLostAsync(scope, who, old, cancellationToken);
        }
    }

    private static async Task RecordLostAsync(ManualScope scope, string who, OldObject old, CancellationToken cancellationToken)
    {
        // Of its own: an answer to its commit that is lost takes its connection with it, and the rest goes on.
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await DiscardRecords.WriteAsync(scope, connection, who, [old], cancellationToken);
        await scope.Lease.CommitAsync(scope.Connections, connection, transaction, cancellationToken);
    }

    private async Task<DiscardCount> AnnounceAsync(ManualScope scope, DiscardQueue queue, string who, CancellationToken cancellationToken)
    {
        var announced = DiscardCount.None;
        for (var last = 0L; await queue.PageAsync("unannounced", last, cancellationToken) is { Count: > 0 } page; last = page[^1].Id)
        {
            await using var connection = await scope.Connections.OpenAsync(cancellationToken);
            await using var transaction = await BeginAsync(connection, scope, cancellationToken);
            var still = await queue.StillAsync(connection, "unannounced", page, cancellationToken);
            await connection.ExecuteAsync(DiscardStatements.Announce, cancellationToken, PgParameter.Bigints(still.Select(o => o.Id)));
            var count = DiscardCount.Of(still);
            await DiscardRecords.AuditAsync(connection, scope, who, new() { ["announced_objects"] = count.Objects, ["announced_archives"] = count.Archives }, cancellationToken);
            await scope.Lease.CommitAsync(scope.Connections, connection, transaction, cancellationToken);
            FaultPoint.Reach(FaultPoints.DiscardAnnounced);
            announced = announced.And(count);
        }
        if (announced.Archives > 0)
            logger.DiscardAnnounced(announced.Archives, scope.Source.Name, settings.Discard.Notice.TotalDays);
        return announced;
    }

    // The transaction holds the hold lock while the objects go: a hold that is added meanwhile waits, and then covers what is left.
    private async Task<(DiscardCount Discarded, IReadOnlyList<ObjectFailure> Failed, StorageException? Outage)> DestroyAsync(
        ManualScope scope, DiscardQueue queue, string who, IReadOnlyList<OldObject> page, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken);
        await using var transaction = await BeginAsync(connection, scope, cancellationToken);
        var still = await queue.StillAsync(connection, "due", page, cancellationToken);
        var foreign = await new ObjectOwner(store, scope.Database).WhyForeignAsync(still.Select(o => o.Name), settings.Storage.UploadConcurrency, cancellationToken);
        List<OldObject> due = [.. still.Where(o => !foreign.ContainsKey(o.Key))];
        await scope.RequireLeaseAsync(connection, cancellationToken);
        await DiscardRecords.BeginRemovalAsync(scope, due, cancellationToken);
        FaultPoint.Reach(FaultPoints.DiscardBegun);

        var outcome = await store.DeleteAllVersionsAsync([.. due.Select(o => o.Name)], cancellationToken);
        FaultPoint.Reach(FaultPoints.DiscardRemoved);
        List<OldObject> gone = [.. due.Where(o => outcome.IsGone(o.Key))];
        await DiscardRecords.WriteAsync(scope, connection, who, gone, cancellationToken);
        await scope.Lease.CommitAsync(scope.Connections, connection, transaction, cancellationToken);
        FaultPoint.Reach(FaultPoints.DiscardRecorded);
        var failures = outcome.Failures.Select(f => new ObjectFailure(f.Key, f.Value.Message)).Concat(foreign.Select(f => new ObjectFailure(f.Key, f.Value)));
        return (DiscardCount.Of(gone), [.. failures], outcome.Outage);
    }

    private async Task<NpgsqlTransaction> BeginAsync(NpgsqlConnection connection, ManualScope scope, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellationToken);
        // Idle while the store works: as long as the store's retries may take.
        await connection.ExecuteAsync(
            TransactionSettings.Common + TransactionSettings.Change + TransactionSettings.Timeout("statement_timeout", settings.Batch.StatementTimeout * 10)
            + TransactionSettings.Timeout("idle_in_transaction_session_timeout", (settings.Retry.Budget + settings.Storage.Timeout) * 2), cancellationToken);
        await HoldLock.TakeSharedAsync(connection, scope.Source.Name, cancellationToken);
        return transaction;
    }
}

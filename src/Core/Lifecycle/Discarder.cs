using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core.Lifecycle;

/// <summary>
/// The end of life of archives: objects older than <c>Discard:After</c> are announced, and once <c>Discard:Notice</c> has passed destroyed in
/// every version. First the objects, confirmed absent, then the ledger: a crash in between leaves rows of objects that are gone, which the
/// next discard settles, never an object that the ledger calls discarded.
/// </summary>
internal sealed class Discarder(ArchiverSettings settings, ConnectionCatalog connections, IArchiveStore store, TimeProvider time, ILogger<Discarder> logger)
{
    public const string Name = "discard";

    /// <summary>Objects under one hold lock and in one ledger transaction: <c>hold add</c> waits for no more than these.</summary>
    private const int Group = 64;

    /// <summary>Counts what a discard would do now; changes nothing.</summary>
    /// <exception cref="ArchiverException">Nothing may be discarded, because no age is configured.</exception>
    public async Task<DiscardReport> PlanAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        var after = RequireAge();
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken).ConfigureAwait(false);
        await Migrator.RequireCurrentAsync(connection, cancellationToken).ConfigureAwait(false);
        return await CountAsync(connection, source, after, cancellationToken).ConfigureAwait(false);
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
            await SettleInterruptedAsync(scope, after, who, token).ConfigureAwait(false);
            report = report with { Announced = await AnnounceAsync(scope, after, who, token).ConfigureAwait(false) };
            for (var last = 0L; await PageAsync(scope, after, "due", last, token).ConfigureAwait(false) is { Count: > 0 } page; last = page[^1].Id)
            {
                var (discarded, failures, outage) = await DestroyAsync(scope, after, who, page, token).ConfigureAwait(false);
                report = report with { Discarded = report.Discarded.And(discarded) };
                failed.AddRange(failures);
                if (outage is not null)
                    throw outage;
            }
        }
        var run = await new ManualRun(settings, connections, time, logger).ExecuteAsync(
            source, Name, WorkAsync,
            () => new() { Source = source.Name, Policy = Name, Outcome = failed.Count > 0 ? RunOutcome.Partial : RunOutcome.Done, Selected = report.Discarded.Objects + failed.Count, Failed = failed.Count },
            cancellationToken).ConfigureAwait(false);
        report = report with { RunId = run.RunId, Outcome = run.Outcome, Error = run.Error, Failed = failed };
        if (run.RunId != Guid.Empty && run.Outcome is RunOutcome.Done or RunOutcome.Partial)
            report = await WithRestAsync(report, source, after, cancellationToken).ConfigureAwait(false);
        var elapsed = (long)time.GetElapsedTime(started).TotalMilliseconds;
        logger.DiscardEnded(run.RunId, source.Name, report.Outcome, report.Discarded.Objects, report.Discarded.Archives, report.Announced.Archives, report.Held.Archives, failed.Count, elapsed);
        return report;
    }

    private TimeSpan RequireAge() => settings.Discard.After ?? throw new ArchiverException(
        FailureKind.Configuration, "Archiver:Discard:After is not set, so archives are kept for ever and nothing is discarded.");

    private async Task<DiscardReport> WithRestAsync(DiscardReport report, SourceSettings source, TimeSpan after, CancellationToken cancellationToken)
    {
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken).ConfigureAwait(false);
        var rest = await CountAsync(connection, source, after, cancellationToken).ConfigureAwait(false);
        return report with { Waiting = rest.Waiting, Held = rest.Held, Unknown = rest.Unknown, NextDue = rest.NextDue };
    }

    private async Task<DiscardReport> CountAsync(NpgsqlConnection connection, SourceSettings source, TimeSpan after, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(settings.Batch.StatementTimeout * 10), cancellationToken).ConfigureAwait(false);
        var steps = (await connection.QueryAsync(
            DiscardStatements.Count, row => (Step: row.GetString(0), Count: new DiscardCount(row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)), Due: row.TextOrNull(4)),
            cancellationToken, Parameters(source, after)).ConfigureAwait(false)).ToDictionary(s => s.Step, StringComparer.Ordinal);
        DiscardCount Of(string step) => steps.TryGetValue(step, out var found) ? found.Count : DiscardCount.None;
        return new()
        {
            Source = source.Name,
            Outcome = RunOutcome.Done,
            Plan = true,
            Discarded = Of("due"),
            Announced = Of("unannounced"),
            Waiting = Of("announced"),
            Held = Of("held"),
            Unknown = Of("unknown"),
            NextDue = steps.TryGetValue("announced", out var next) ? next.Due : null,
        };
    }

    /// <summary>What was being destroyed when a process died, and then was held: it is still there, or the ledger has to say that it is gone.</summary>
    private async Task SettleInterruptedAsync(ManualScope scope, TimeSpan after, string who, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        var interrupted = await connection.QueryAsync(
            DiscardStatements.Interrupted, row => (Object: new OldObject(row.GetInt64(0), row.GetString(1), row.GetInt64(3), row.GetInt64(4)), Version: row.TextOrNull(2)),
            cancellationToken, Parameters(scope.Source, after)).ConfigureAwait(false);
        foreach (var (old, version) in interrupted)
        {
            if (await store.HeadAsync(new(old.Key, version), cancellationToken).ConfigureAwait(false) is not null)
                await connection.ExecuteAsync(DiscardStatements.GiveUpRemoval, cancellationToken, PgParameter.Bigints([old.Id])).ConfigureAwait(false);
            else
                await RecordLostAsync(scope, connection, who, old, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task RecordLostAsync(ManualScope scope, NpgsqlConnection connection, string who, OldObject old, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await RecordAsync(scope, connection, who, [old], cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<DiscardCount> AnnounceAsync(ManualScope scope, TimeSpan after, string who, CancellationToken cancellationToken)
    {
        var announced = DiscardCount.None;
        for (var last = 0L; await PageAsync(scope, after, "unannounced", last, cancellationToken).ConfigureAwait(false) is { Count: > 0 } page; last = page[^1].Id)
        {
            await using var connection = await scope.Connections.OpenAsync(cancellationToken).ConfigureAwait(false);
            await using var transaction = await BeginAsync(connection, scope, cancellationToken).ConfigureAwait(false);
            var still = await StillAsync(connection, scope.Source, after, "unannounced", page, cancellationToken).ConfigureAwait(false);
            await connection.ExecuteAsync(DiscardStatements.Announce, cancellationToken, PgParameter.Bigints(still.Select(o => o.Id))).ConfigureAwait(false);
            var count = Sum(still);
            await AuditAsync(connection, scope, who, new() { ["announced_objects"] = count.Objects, ["announced_archives"] = count.Archives }, cancellationToken).ConfigureAwait(false);
            await scope.RequireLeaseAsync(connection, cancellationToken).ConfigureAwait(false);
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            FaultPoint.Reach(FaultPoints.DiscardAnnounced);
            announced = announced.And(count);
        }
        if (announced.Archives > 0)
            logger.DiscardAnnounced(announced.Archives, scope.Source.Name, settings.Discard.Notice.TotalDays);
        return announced;
    }

    // The transaction holds the hold lock while the objects go: a hold that is added meanwhile waits, and then covers what is left.
    private async Task<(DiscardCount Discarded, IReadOnlyList<ObjectFailure> Failed, StorageException? Outage)> DestroyAsync(
        ManualScope scope, TimeSpan after, string who, IReadOnlyList<OldObject> page, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await BeginAsync(connection, scope, cancellationToken).ConfigureAwait(false);
        var due = await StillAsync(connection, scope.Source, after, "due", page, cancellationToken).ConfigureAwait(false);
        await scope.RequireLeaseAsync(connection, cancellationToken).ConfigureAwait(false);
        await BeginRemovalAsync(scope, due, cancellationToken).ConfigureAwait(false);
        FaultPoint.Reach(FaultPoints.DiscardBegun);

        var outcome = await new ObjectRemoval(store, settings.Storage.UploadConcurrency).RemoveAsync([.. due.Select(o => o.Key)], cancellationToken).ConfigureAwait(false);
        FaultPoint.Reach(FaultPoints.DiscardRemoved);
        List<OldObject> gone = [.. due.Where(o => outcome.IsGone(o.Key))];
        await RecordAsync(scope, connection, who, gone, cancellationToken).ConfigureAwait(false);
        await scope.RequireLeaseAsync(connection, cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        FaultPoint.Reach(FaultPoints.DiscardRecorded);
        return (Sum(gone), [.. outcome.Failures.Select(f => new ObjectFailure(f.Key, f.Value))], outcome.Outage);
    }

    private async Task<NpgsqlTransaction> BeginAsync(NpgsqlConnection connection, ManualScope scope, CancellationToken cancellationToken)
    {
        var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        // Idle while the store works: as long as the store's retries may take.
        await connection.ExecuteAsync(
            TransactionSettings.Common + TransactionSettings.Timeout("statement_timeout", settings.Batch.StatementTimeout * 10)
            + TransactionSettings.Timeout("idle_in_transaction_session_timeout", (settings.Retry.Budget + settings.Storage.Timeout) * 2), cancellationToken).ConfigureAwait(false);
        await HoldLock.TakeSharedAsync(connection, scope.Source.Name, cancellationToken).ConfigureAwait(false);
        return transaction;
    }

    // Committed before the first object goes: if this process dies over it, nobody takes the missing object for a lost one.
    private static async Task BeginRemovalAsync(ManualScope scope, IReadOnlyList<OldObject> due, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync(DiscardStatements.BeginRemoval, cancellationToken, PgParameter.Bigints(due.Select(o => o.Id))).ConfigureAwait(false);
    }

    private static async Task RecordAsync(ManualScope scope, NpgsqlConnection connection, string who, IReadOnlyList<OldObject> gone, CancellationToken cancellationToken)
    {
        if (gone.Count == 0)
            return;
        var objects = await connection.ExecuteAsync(DiscardStatements.MarkObjects, cancellationToken, PgParameter.Bigints(gone.Select(o => o.Id))).ConfigureAwait(false);
        var archives = await connection.ExecuteAsync(DiscardStatements.MarkArchives, cancellationToken, PgParameter.Bigints(gone.Select(o => o.Id))).ConfigureAwait(false);
        var count = Sum(gone);
        if (objects != count.Objects || archives != count.Archives)
            throw new ArchiverException(FailureKind.Failed, $"The ledger changed {objects} objects and {archives} archives where {count.Objects} and {count.Archives} were due: another program works on it. Run the discard again.");
        await connection.ExecuteAsync(DiscardStatements.CountRun, cancellationToken, PgParameter.Uuid(scope.RunId), PgParameter.Bigint(count.Archives), PgParameter.Bigint(count.Bytes)).ConfigureAwait(false);
        await AuditAsync(connection, scope, who, new() { ["objects"] = count.Objects, ["archives"] = count.Archives, ["bytes"] = count.Bytes }, cancellationToken).ConfigureAwait(false);
    }

    private static Task AuditAsync(NpgsqlConnection connection, ManualScope scope, string who, Dictionary<string, long> counts, CancellationToken cancellationToken) =>
        AuditLog.WriteAsync(connection, new(who, Name, scope.Source.Name, null, scope.RunId, null, counts), cancellationToken);

    private async Task<IReadOnlyList<OldObject>> PageAsync(ManualScope scope, TimeSpan after, string step, long last, CancellationToken cancellationToken)
    {
        await using var connection = await scope.Connections.OpenAsync(cancellationToken).ConfigureAwait(false);
        return await connection.QueryAsync(
            DiscardStatements.Page, row => new OldObject(row.GetInt64(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3)), cancellationToken,
            Parameters(scope.Source, after, PgParameter.Text(step), PgParameter.Bigint(last), PgParameter.Int(Group))).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<OldObject>> StillAsync(
        NpgsqlConnection connection, SourceSettings source, TimeSpan after, string step, IReadOnlyList<OldObject> page, CancellationToken cancellationToken)
    {
        var ids = (await connection.QueryAsync(
            DiscardStatements.Still, row => row.GetInt64(0), cancellationToken,
            Parameters(source, after, PgParameter.Text(step), PgParameter.Bigints(page.Select(o => o.Id)))).ConfigureAwait(false)).ToHashSet();
        return [.. page.Where(o => ids.Contains(o.Id))];
    }

    private NpgsqlParameter[] Parameters(SourceSettings source, TimeSpan after, params NpgsqlParameter[] more) =>
        DiscardStatements.Parameters(store.Location, source.Name, after, settings.Discard, more);

    private static DiscardCount Sum(IReadOnlyList<OldObject> objects) => new(objects.Count, objects.Sum(o => o.Archives), objects.Sum(o => o.Length));

    /// <summary>An object at the end of its life.</summary>
    private sealed record OldObject(long Id, string Key, long Archives, long Length);
}

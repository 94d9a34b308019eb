using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Reconciliation;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Discard;

/// <summary>
/// The end of life of archives: objects older than <c>Discard:After</c> are announced, and once <c>Discard:Notice</c> has passed destroyed
/// in every version. First the objects, confirmed absent, then the ledger: a crash in between leaves rows of objects that are gone, which
/// the next discard settles, never an object that the ledger calls discarded.
/// </summary>
internal sealed class Discarder(
    ArchiverSettings settings,
    ConnectionCatalog connections,
    IArchiveStore store,
    TimeProvider time,
    ILogger<Discarder> logger
)
{
    public const string Name = "discard";

    /// <summary>Counts what a discard would do now; changes nothing.</summary>
    /// <exception cref="ArchiverException">
    /// Nothing may be discarded: no age is configured, or the ledger belongs to another database.
    /// </exception>
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
        string? paused = null;
        async Task WorkAsync(ManualScope scope, CancellationToken token)
        {
            await using (var connection = await scope.Connections.OpenAsync(token))
                await StoreWitness.RequireAsync(connection, store, source, token);
            var queue = QueueOf(source, after);
            var steps = new DiscardSteps(scope, queue, settings, store, who);
            await steps.SettleInterruptedAsync(token);
            report = report with { Announced = await steps.AnnounceAsync(token) };
            if (report.Announced.Archives > 0)
                logger.DiscardAnnounced(report.Announced.Archives, source.Name, settings.Discard.Notice.TotalDays);
            for (var last = 0L; await queue.PageAsync("due", last, token) is { Count: > 0 } page; last = page[^1].Id)
            {
                if (await steps.IsPausedAsync(token))
                    break;
                var (discarded, failures, outage) = await steps.DestroyAsync(page, token);
                report = report with { Discarded = report.Discarded.And(discarded) };
                failed.AddRange(failures);
                if (outage is not null)
                    throw outage;
            }
            paused = steps.Paused;
            if (paused is not null)
                logger.RunCutShort(scope.RunId, paused);
        }
        var run = await new ManualRun(settings, connections, time, logger).ExecuteAsync(
            source,
            Name,
            WorkAsync,
            () =>
                new()
                {
                    Source = source.Name,
                    Policy = Name,
                    Outcome = failed.Count > 0 ? RunOutcome.Partial : RunOutcome.Done,
                    Selected = report.Discarded.Objects + failed.Count,
                    Failed = failed.Count,
                },
            cancellationToken
        );
        report = report with { RunId = run.RunId, Outcome = run.Outcome, Error = run.Error ?? paused, Failed = failed };
        if (run.RunId != Guid.Empty && run.Outcome is RunOutcome.Done or RunOutcome.Partial)
            report = await WithRestAsync(report, source, after, cancellationToken);
        var elapsed = (long)time.GetElapsedTime(started).TotalMilliseconds;
        logger.DiscardEnded(
            run.RunId,
            source.Name,
            report.Outcome,
            report.Discarded.Objects,
            report.Discarded.Archives,
            report.Announced.Archives,
            report.Held.Archives,
            failed.Count,
            elapsed
        );
        return report;
    }

    private DiscardQueue QueueOf(SourceSettings source, TimeSpan after) =>
        new(connections[source.Name], settings, store.Location, source, after);

    private TimeSpan RequireAge() =>
        settings.Discard.After
        ?? throw new ArchiverException(
            FailureKind.Configuration,
            "Archiver:Discard:After is not set, so archives are kept for ever and nothing is discarded."
        );

    private async Task<DiscardReport> WithRestAsync(
        DiscardReport report,
        SourceSettings source,
        TimeSpan after,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        var rest = await QueueOf(source, after).CountAsync(connection, cancellationToken);
        return report with
        {
            Waiting = rest.Waiting,
            Held = rest.Held,
            Unknown = rest.Unknown,
            Stored = rest.Stored,
            NextDue = rest.NextDue,
        };
    }
}

using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Discard;
using Archiver.Core.Documents;
using Archiver.Core.Erasure;
using Archiver.Core.Ledger;
using Archiver.Core.Purge;
using Archiver.Core.Reconciliation;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Pipelines;

/// <summary>What a run does between its begin and its end: looks whether anything speaks against it, then does what its policy's action says.</summary>
internal sealed class PolicyRun(
    RunScope scope, RunRequest request, ArchiverSettings settings, IArchiveStore store, DatabaseRetry retry, RunTally tally, BatchMeter? batches, TimeProvider time, ILogger logger,
    IReplacement? replacement = null)
{
    /// <summary>Throws what ends the run early; what it did until then is in the tally.</summary>
    public async Task ExecuteAsync(IProgress<RunProgress>? progress, CancellationToken cancellationToken)
    {
        foreach (var warning in scope.Warnings)
            logger.InspectionWarning(request.Source.Name, warning);
        if (scope.DeadRuns > 0)
            logger.DeadRunsSettled(scope.DeadRuns, request.Source.Name);
        foreach (var (other, sessions) in await PolicyOverlap.CountAsync(scope.Context, cancellationToken))
            logger.PoliciesOverlap(request.Policy.FullName, other, sessions);
        var (ofShard, ofPolicy) = await PolicyPlan.CountEligibleAsync(scope.Context, request.PolicyLimit, cancellationToken);
        var (dueOfShard, dueOfPolicy) = await DueSelector.CountForAsync(scope.Context, cancellationToken);
        var eligible = Math.Min(ofShard + dueOfShard, request.Limit);
        logger.RunStarted(scope.Context.Id, request.Policy.FullName, eligible);
        // The store is tried before anything is selected: a wrong bucket or key must fail a run that has nothing to do as well.
        if (request.Policy.Action == PolicyAction.Archive)
        {
            if (Libdeflate.Installed is null)
                logger.CompressesWithoutLibdeflate();
            await using (var connection = await scope.Context.Connections.OpenAsync(cancellationToken))
                await StoreWitness.RequireAsync(connection, store, request.Source, cancellationToken);
            await store.RefusesOverwriteAsync(request.Source.Prefix, length: 1, cancellationToken);
            if (await BucketExpiry.CheckAsync(store, request.Source.Prefix, settings.Discard, cancellationToken) is { } warning)
                logger.InspectionWarning(request.Source.Name, warning);
        }
        // What all shards would take: each for itself would stay below the trip wire.
        var erased = await Erasures.RequireAppliedAsync(scope.Context, store, cancellationToken);
        await TripWire.CheckAsync(scope.Context, settings.Safety, Math.Min(ofPolicy + dueOfPolicy, request.PolicyLimit), cancellationToken);
        progress?.Report(new(eligible, 0));
        Action? moved = progress is null ? null : () => progress.Report(tally.Progress(eligible));
        var outcomes = new SessionOutcomes(scope.Context, settings.Retry, retry, tally, logger);
        var limits = new RunLimits(scope.Context, settings.Retry, time, logger);
        switch (request.Policy.Action)
        {
            case PolicyAction.Archive:
                // Before the selection: what is superseded now may be taken at once, as the next generation.
                var stored = new StoredSessions(
                    scope.Context, retry, outcomes, limits.ReachedAsync, new RewrittenSessions(scope.Context, settings, store, retry, time).ExceptAsync, logger);
                await stored.CheckAsync(cancellationToken);
                await stored.GiveWayAsync(request.Policy.Replaces, cancellationToken);
                var meter = new PhaseMeter(batches, scope.Context, time);
                var delayed = 0L;
                if (dueOfShard > 0)
                    delayed = await new DelayedDeletion(scope, settings, store, new ArchiveLedger(scope.Context, store.Location), retry, stored, outcomes, tally, limits, meter, erased, time, logger)
                        .RunAsync(request.Limit, moved, cancellationToken);
                using (var pipeline = new ArchivePipeline(scope, settings, store, retry, outcomes, tally, limits, meter, erased, time, logger, replacement))
                    await pipeline.RunAsync(request.Limit - delayed, moved, cancellationToken);
                break;
            case PolicyAction.Purge:
                await ChangeAsync(new Purger(scope.Context, retry));
                break;
            case PolicyAction.Expire:
                await ChangeAsync(new StatusExpirer(scope.Context, retry));
                break;
            default:
                throw new InvalidOperationException($"Unknown action {request.Policy.Action}.");
        }

        Task ChangeAsync(IBatchAction action) =>
            new LifecyclePipeline(scope, action, outcomes, retry, tally, limits, time, logger).RunAsync(request.Limit, moved, cancellationToken);
    }
}

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

namespace Archiver.Core.Pipelines;

/// <summary>
/// What a run does between its begin and its end: looks whether anything speaks against it, then does what its policy's action says.
/// </summary>
internal sealed class PolicyRun(RunScope scope, RunRequest request, RunServices services, RunTally tally, IReplacement? replacement = null)
{
    private readonly RunContext _run = scope.Context;

    /// <summary>Throws what ends the run early; what it did until then is in the tally.</summary>
    public async Task ExecuteAsync(IProgress<RunProgress>? progress, CancellationToken cancellationToken)
    {
        foreach (var warning in scope.Warnings)
            services.Logger.InspectionWarning(request.Source.Name, warning);
        if (scope.DeadRuns > 0)
            services.Logger.DeadRunsSettled(scope.DeadRuns, request.Source.Name);
        foreach (var (other, sessions) in await PolicyOverlap.CountAsync(_run, cancellationToken))
            services.Logger.PoliciesOverlap(request.Policy.FullName, other, sessions);
        var (ofShard, ofPolicy) = await PolicyPlan.CountEligibleAsync(_run, request.PolicyLimit, cancellationToken);
        var (dueOfShard, dueOfPolicy) = await DelayedDeleteSelector.CountForAsync(_run, cancellationToken);
        var eligible = Math.Min(ofShard + dueOfShard, request.Limit);
        services.Logger.RunStarted(_run.Id, request.Policy.FullName, eligible);
        // The store is tried before anything is selected: a wrong bucket or key must fail a run that has nothing to do as well.
        if (request.Policy.Action == PolicyAction.Archive)
        {
            if (Libdeflate.Installed is null)
                services.Logger.CompressesWithoutLibdeflate();
            await using (var connection = await _run.Connections.OpenAsync(cancellationToken))
                await StoreWitness.RequireAsync(connection, services.Store, request.Source, cancellationToken);
            await services.Store.RefusesOverwriteAsync(request.Source.Prefix, length: 1, cancellationToken);
            if (
                await BucketExpiry.CheckAsync(services.Store, request.Source.Prefix, services.Settings.Discard, cancellationToken) is
                { } warning
            )
                services.Logger.InspectionWarning(request.Source.Name, warning);
        }
        // What all shards would take: each for itself would stay below the trip wire.
        var erased = await Erasures.RequireAppliedAsync(_run, services.Store, cancellationToken);
        await TripWire.CheckAsync(_run, services.Settings.Safety, Math.Min(ofPolicy + dueOfPolicy, request.PolicyLimit), cancellationToken);
        progress?.Report(new(eligible, 0));
        Action? moved = progress is null ? null : () => progress.Report(tally.Progress(eligible));
        var frame = new RunFrame(scope, services, tally, erased);
        switch (request.Policy.Action)
        {
            case PolicyAction.Archive:
                await ArchiveAsync(frame, deletes: dueOfShard > 0, moved, cancellationToken);
                break;
            case PolicyAction.Purge:
                await ChangeAsync(new Purger(_run, services.Retry));
                break;
            case PolicyAction.Expire:
                await ChangeAsync(new StatusExpirer(_run, services.Retry));
                break;
            default:
                throw new InvalidOperationException($"Unknown action {request.Policy.Action}.");
        }

        Task ChangeAsync(IBatchAction action) => new LifecyclePipeline(frame, action).RunAsync(request.Limit, moved, cancellationToken);
    }

    private async Task ArchiveAsync(RunFrame frame, bool deletes, Action? moved, CancellationToken cancellationToken)
    {
        // Before the selection: what is superseded now may be taken at once, as the next generation.
        var rewritten = new RewrittenSessions(_run, services.Settings, services.Store, services.Retry, services.Time);
        var superseded = new SupersededSessions(_run, services.Retry, frame.Outcomes, services.Logger);
        var stored = new StoredSessions(
            _run,
            services.Retry,
            superseded,
            frame.Limits.ReachedAsync,
            rewritten.ExceptAsync,
            services.Logger
        );
        await stored.CheckAsync(cancellationToken);
        await stored.GiveWayAsync(request.Policy.Replaces, cancellationToken);
        var delayed = deletes ? await new DelayedDeletion(frame, superseded).RunAsync(request.Limit, moved, cancellationToken) : 0;
        using var pipeline = new ArchivePipeline(frame, replacement);
        await pipeline.RunAsync(request.Limit - delayed, moved, cancellationToken);
    }
}

using System.Text.Json;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Lifecycle;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Storage;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core;

/// <summary>
/// Runs one policy once: the one call behind the schedule, the command line, the trigger and the tests. Failures end up in the summary and,
/// once, in the log; only a bug's exception is logged with its stack.
/// </summary>
public sealed class PolicyRunner
{
    private readonly ArchiverSettings _settings;
    private readonly ConnectionCatalog _connections;
    private readonly IArchiveStore _store;
    private readonly DatabaseRetry _retry;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    internal PolicyRunner(ArchiverSettings settings, ConnectionCatalog connections, IArchiveStore store, TimeProvider time, ILogger<PolicyRunner> logger)
    {
        _settings = settings;
        _connections = connections;
        _store = store;
        _retry = new DatabaseRetry(settings.Retry, time);
        _time = time;
        _logger = logger;
    }

    /// <summary>Runs the policy; the outcome is in the summary, whatever it is.</summary>
    public Task<RunSummary> RunAsync(RunRequest request, IProgress<RunProgress>? progress, CancellationToken cancellationToken) =>
        request.Shard is not null || _settings.Schedule.Shards == 1 || request.Policy.DryRun
            ? RunOneAsync(request, progress, cancellationToken)
            : new ShardedRun(request, _settings.Schedule.Shards, shard => RunOneAsync(shard, progress, cancellationToken), token => UnfinishedAsync(request, token)).RunAsync(cancellationToken);

    private async Task<RunSummary> RunOneAsync(RunRequest request, IProgress<RunProgress>? progress, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var tally = new RunTally();
        RunScope? scope = null;
        try
        {
            if (await PausedByAsync(request, cancellationToken).ConfigureAwait(false) is { } by)
            {
                _logger.Paused(request.Policy.FullName, by);
                return Without(request, RunOutcome.Paused, $"Paused: {by}.");
            }
            if (request.Policy.DryRun)
                return await PreviewAsync(request, cancellationToken).ConfigureAwait(false);
            scope = await RunScope.BeginAsync(request, _settings, _connections[request.Source.Name], _time, cancellationToken).ConfigureAwait(false);
            if (scope is null)
            {
                _logger.LockedElsewhere(request.Policy.FullName);
                return Without(request, RunOutcome.LockedElsewhere, "Another worker runs on this source.");
            }
            if (request.Shard is { IsWhole: false } shard)
                _logger.ShardTaken(scope.Context.Id, request.Policy.FullName, shard.Number, shard.Count);
            await using (scope.ConfigureAwait(false))
            {
                FaultPoint.Reach(FaultPoints.RunRecorded);
                var (outcome, error) = await GuardAsync(request, () => RunAsync(scope, request, tally, progress, cancellationToken)).ConfigureAwait(false);
                var summary = tally.Summarize(scope.Context, outcome, error, _time.GetElapsedTime(started));
                FaultPoint.Reach(FaultPoints.RunEnding);
                await EndAsync(scope, summary).ConfigureAwait(false);
                FaultPoint.Reach(FaultPoints.RunEnded);
                return summary;
            }
        }
        catch (Exception exception) when (scope is null)
        {
            var (outcome, error) = Explain(request, exception);
            return Without(request, outcome, error);
        }
    }

    private async Task RunAsync(RunScope scope, RunRequest request, RunTally tally, IProgress<RunProgress>? progress, CancellationToken cancellationToken)
    {
        foreach (var warning in scope.Warnings)
            _logger.InspectionWarning(request.Source.Name, warning);
        if (scope.DeadRuns > 0)
            _logger.DeadRunsSettled(scope.DeadRuns, request.Source.Name);
        foreach (var (other, sessions) in await PolicyOverlap.CountAsync(scope.Context, cancellationToken).ConfigureAwait(false))
            _logger.PoliciesOverlap(request.Policy.FullName, other, sessions);
        var (ofShard, ofPolicy) = await PolicyPlan.CountEligibleAsync(scope.Context, cancellationToken).ConfigureAwait(false);
        var (dueOfShard, dueOfPolicy) = await DueSelector.CountForAsync(scope.Context, cancellationToken).ConfigureAwait(false);
        var eligible = Math.Min(ofShard + dueOfShard, request.Limit);
        _logger.RunStarted(scope.Context.Id, request.Policy.FullName, eligible);
        // The store is tried before anything is selected: a wrong bucket or key must fail a run that has nothing to do as well.
        if (request.Policy.Action == PolicyAction.Archive)
            await _store.RefusesOverwriteAsync(request.Source.Prefix, length: 1, cancellationToken).ConfigureAwait(false);
        // What all shards would take: each for itself would stay below the trip wire.
        await Erasures.RequireAppliedAsync(scope.Context, _store, cancellationToken).ConfigureAwait(false);
        await TripWire.CheckAsync(scope.Context, _settings.Safety, Math.Min(ofPolicy + dueOfPolicy, request.PolicyLimit), cancellationToken).ConfigureAwait(false);
        progress?.Report(new(eligible, 0));
        var finished = progress is null ? null : new Relay(progress, eligible);
        var outcomes = new SessionOutcomes(scope.Context, _settings.Retry, _retry, tally, _logger);
        var limits = new RunLimits(scope.Context, _settings.Retry, _time, _logger);
        switch (request.Policy.Action)
        {
            case PolicyAction.Archive:
                // Before the selection: what is superseded now may be taken at once, as the next generation.
                var stored = new StoredSessions(scope.Context, _retry, limits.ReachedAsync, _logger);
                await stored.CheckAsync(cancellationToken).ConfigureAwait(false);
                var delayed = 0L;
                if (dueOfShard > 0)
                    delayed = await new DelayedDeletion(scope, _settings, _store, new ArchiveLedger(scope.Context, _store.Location), _retry, stored, outcomes, tally, limits, _time, _logger)
                        .RunAsync(request.Limit, finished, cancellationToken).ConfigureAwait(false);
                using (var pipeline = new ArchivePipeline(scope, _settings, _store, _retry, outcomes, tally, limits, _time, _logger))
                    await pipeline.RunAsync(request.Limit - delayed, finished, cancellationToken).ConfigureAwait(false);
                break;
            case PolicyAction.Purge:
                await ChangeAsync(new Purger(scope.Context, _retry)).ConfigureAwait(false);
                break;
            case PolicyAction.Expire:
                await ChangeAsync(new StatusExpirer(scope.Context, _retry)).ConfigureAwait(false);
                break;
            default:
                throw new InvalidOperationException($"Unknown action {request.Policy.Action}.");
        }

        Task ChangeAsync(IBatchAction action) =>
            new LifecyclePipeline(scope, action, _settings.Batch, outcomes, _retry, tally, limits, _logger).RunAsync(request.Limit, finished, cancellationToken);
    }

    /// <summary>What a real run would take, by the same counts and the same trip wire; reads the database, and neither writes nor touches the store.</summary>
    private async Task<RunSummary> PreviewAsync(RunRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await _connections[request.Source.Name].OpenAsync(cancellationToken).ConfigureAwait(false);
        // The first start makes the ledger, as in any run; after that a dry run only reads.
        await RunScope.PrepareLedgerAsync(connection, _settings.AutoMigrate, cancellationToken).ConfigureAwait(false);
        var context = await ReadOnlyContext.MakeAsync(connection, request.Source, request.Policy, _settings, _connections, cancellationToken).ConfigureAwait(false) with { Shard = request.Shard ?? Shard.Whole };
        var plan = await PolicyPlan.CountAsync(context, cancellationToken).ConfigureAwait(false);
        var (due, _) = await DueSelector.CountForAsync(context, cancellationToken).ConfigureAwait(false);
        var take = Math.Min(plan.Eligible + due, request.Limit);
        await TripWire.CheckAsync(context, _settings.Safety, take, cancellationToken).ConfigureAwait(false);
        _logger.DryRun(request.Policy.FullName, take);
        return new()
        {
            Source = request.Source.Name,
            Policy = request.Policy.Name,
            Action = request.Policy.Action,
            Outcome = RunOutcome.Done,
            DryRun = true,
            Selected = take,
            Delayed = Math.Min(due, take),
            Excluded = plan.Excluded,
        };
    }

    /// <summary>What pauses the policy, or null. Looked up before anything is recorded: a paused policy leaves no trace of a run.</summary>
    private async Task<string?> PausedByAsync(RunRequest request, CancellationToken cancellationToken)
    {
        if (request.Policy.Paused)
            return "Paused in the configuration";
        await using var connection = await _connections[request.Source.Name].OpenAsync(cancellationToken).ConfigureAwait(false);
        return await Migrator.ExistsAsync(connection, cancellationToken).ConfigureAwait(false)
            && await Pauses.FindAsync(connection, request.Source.Name, request.Policy.Name, cancellationToken).ConfigureAwait(false) is { } name
                ? $"archiver pause ({name})"
                : null;
    }

    private async Task<IReadOnlyList<int>> UnfinishedAsync(RunRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await _connections[request.Source.Name].OpenAsync(cancellationToken).ConfigureAwait(false);
        return await RunJournal.FindUnfinishedAsync(connection, request.Source.Name, request.Policy.Name, _settings.Schedule.Shards, cancellationToken).ConfigureAwait(false);
    }

    private async Task<(RunOutcome? Outcome, string? Error)> GuardAsync(RunRequest request, Func<Task> run)
    {
        try
        {
            await run().ConfigureAwait(false);
            return (null, null);
        }
        catch (Exception exception)
        {
            return Explain(request, exception);
        }
    }

    /// <summary>The boundary of a run: every exception becomes an outcome and is logged, once.</summary>
    private (RunOutcome Outcome, string Error) Explain(RunRequest request, Exception exception)
    {
        var known = exception switch
        {
            OperationCanceledException => (RunOutcome.Cancelled, "Stopped on request."),
            ArchiverException { Kind: FailureKind.Refused or FailureKind.Configuration } e => (RunOutcome.Refused, e.Message),
            ArchiverException e => (RunOutcome.Failed, e.Message),
            StorageException e => (RunOutcome.Failed, e.Message),
            NpgsqlException or TimeoutException => (RunOutcome.Failed, _connections[request.Source.Name].ForPerson(exception).Message),
            _ => ((RunOutcome, string)?)null,
        };
        if (known is null)
            _logger.RunFailedUnexpectedly(exception, request.Policy.FullName);
        else if (known.Value.Item1 != RunOutcome.Cancelled)
            _logger.RunFailed(request.Policy.FullName, known.Value.Item2);
        return known ?? (RunOutcome.Failed, $"Unexpected {exception.GetType().Name}; the log has the details.");
    }

    private async Task EndAsync(RunScope scope, RunSummary summary)
    {
        try
        {
            await scope.EndAsync(summary).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or IOException)
        {
            _logger.RunEndNotRecorded(exception, summary.RunId);
        }
        var reasons = JsonSerializer.Serialize(summary.Reasons);
        var elapsed = (long)summary.Elapsed.TotalMilliseconds;
        _logger.RunEnded(
            summary.RunId, scope.Context.Policy.FullName, summary.Outcome, summary.Sessions, summary.Rows, summary.StoredBytes,
            summary.JsonBytes, summary.Skipped, summary.Failed, elapsed, reasons);
    }

    private static RunSummary Without(RunRequest request, RunOutcome outcome, string error) => new()
    {
        Source = request.Source.Name,
        Policy = request.Policy.Name,
        Action = request.Policy.Action,
        DryRun = request.Policy.DryRun,
        Outcome = outcome,
        Error = error,
    };

    private sealed class Relay(IProgress<RunProgress> progress, long eligible) : IProgress<long>
    {
        public void Report(long value) => progress.Report(new(eligible, value));
    }
}

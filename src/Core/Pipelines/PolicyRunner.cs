using Archiver.Core.Deletion;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Pipelines;

/// <summary>
/// Runs one policy once: the one call behind the schedule, the command line, the trigger and the tests. Failures end up in the summary and,
/// once, in the log; only a bug's exception is logged with its stack.
/// </summary>
public sealed class PolicyRunner
{
    private readonly ConnectionCatalog _connections;
    private readonly RunServices _services;
    private readonly RunFailures _failures;

    internal PolicyRunner(
        ArchiverSettings settings,
        ConnectionCatalog connections,
        IArchiveStore store,
        TimeProvider time,
        ILogger<PolicyRunner> logger,
        BatchMeter? batches = null
    )
    {
        _connections = connections;
        _services = new(settings, store, new DatabaseRetry(settings.Retry, time), batches, time, logger);
        _failures = new RunFailures(connections, logger);
    }

    /// <summary>Runs the policy; the outcome is in the summary, whatever it is.</summary>
    public Task<RunSummary> RunAsync(RunRequest request, IProgress<RunProgress>? progress, CancellationToken cancellationToken) =>
        RunAsync(request, null, progress, cancellationToken);

    /// <summary>Archives the sessions and puts what <paramref name="replacement"/> has in their place.</summary>
    internal Task<RunSummary> ReplaceAsync(RunRequest request, IReplacement replacement, CancellationToken cancellationToken) =>
        RunAsync(request, replacement, null, cancellationToken);

    private Task<RunSummary> RunAsync(
        RunRequest request,
        IReplacement? replacement,
        IProgress<RunProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        if (request.Shard is not null || _services.Settings.Schedule.Shards == 1 || request.Policy.DryRun)
            return RunOneAsync(request, replacement, progress, cancellationToken);
        return new ShardedRun(
            request,
            _services.Settings.Schedule.Shards,
            shard => RunOneAsync(shard, replacement, progress, cancellationToken),
            token => UnfinishedAsync(request, token)
        ).RunAsync(cancellationToken);
    }

    private async Task<RunSummary> RunOneAsync(
        RunRequest request,
        IReplacement? replacement,
        IProgress<RunProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        using var trace = Traces.Run(request.Source.Name, request.Policy.Name, request.Policy.Action.ToString());
        var summary = await RunUntracedAsync(request, replacement, progress, cancellationToken);
        Traces.Note(trace, summary.RunId, summary.Outcome, summary.Sessions, summary.Failed);
        return summary;
    }

    private async Task<RunSummary> RunUntracedAsync(
        RunRequest request,
        IReplacement? replacement,
        IProgress<RunProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var started = _services.Time.GetTimestamp();
        var tally = new RunTally();
        RunScope? scope = null;
        try
        {
            if (await PausedByAsync(request, cancellationToken) is { } by)
            {
                _services.Logger.Paused(request.Policy.FullName, by);
                return Without(request, RunOutcome.Paused, by);
            }
            if (request.Policy.DryRun)
                return await new DryRun(_services.Settings, _connections, _services.Logger).RunAsync(request, cancellationToken);
            scope = await RunScope.BeginAsync(
                request,
                _services.Settings,
                _connections[request.Source.Name],
                _services.Time,
                _services.Logger,
                cancellationToken
            );
            if (scope is null)
            {
                _services.Logger.LockedElsewhere(request.Policy.FullName);
                return Without(request, RunOutcome.LockedElsewhere, "Another worker runs on this source.");
            }
            if (request.Shard is { IsWhole: false } shard)
                _services.Logger.ShardTaken(scope.Context.Id, request.Policy.FullName, shard.Number, shard.Count);
            await using (scope)
            {
                FaultPoint.Reach(FaultPoints.RunRecorded);
                var run = new PolicyRun(scope, request, _services, tally, replacement);
                var (outcome, error) = await _failures.GuardAsync(request, () => run.ExecuteAsync(progress, cancellationToken));
                var summary = tally.Summarize(scope.Context, outcome, error, _services.Time.GetElapsedTime(started));
                FaultPoint.Reach(FaultPoints.RunEnding);
                summary = await RunEnd.RecordAsync(scope, summary, _services.Logger);
                FaultPoint.Reach(FaultPoints.RunEnded);
                return summary;
            }
        }
        catch (Exception exception) when (scope is null)
        {
            var (outcome, error) = await _failures.ExplainAsync(request, exception);
            return Without(request, outcome, error);
        }
    }

    /// <summary>What pauses the policy, or null. Looked up before anything is recorded: a paused policy leaves no trace of a run.</summary>
    private async Task<string?> PausedByAsync(RunRequest request, CancellationToken cancellationToken)
    {
        if (request.Policy.Paused)
            return $"paused in the configuration (Archiver:Sources:{request.Source.Name}:Policies:{request.Policy.Name}:Paused)";
        await using var connection = await _connections[request.Source.Name].OpenAsync(cancellationToken);
        if (!await Migrator.ExistsAsync(connection, cancellationToken))
            return null;
        return await Pauses.StoppedByAsync(connection, request.Source, request.Policy.Name, cancellationToken);
    }

    private async Task<IReadOnlyList<int>> UnfinishedAsync(RunRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await _connections[request.Source.Name].OpenAsync(cancellationToken);
        return await RunShards.FindUnfinishedAsync(
            connection,
            request.Source.Name,
            request.Policy.Name,
            _services.Settings.Schedule.Shards,
            cancellationToken
        );
    }

    private static RunSummary Without(RunRequest request, RunOutcome outcome, string error) =>
        new()
        {
            Source = request.Source.Name,
            Policy = request.Policy.Name,
            Action = request.Policy.Action,
            DryRun = request.Policy.DryRun,
            Outcome = outcome,
            Error = error,
        };
}

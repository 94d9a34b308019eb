using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Restore;

/// <summary>
/// Restores sessions: the one call behind the command line, the HTTP route and the tests. It holds the reading side of the store; only
/// <see cref="ConflictMode.Replace"/> archives, and that through a run of its own.
/// </summary>
public sealed class RestoreRunner
{
    private readonly ArchiverSettings _settings;
    private readonly ConnectionCatalog _connections;
    private readonly IArchiveReader _store;
    private readonly PolicyRunner _policies;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    internal RestoreRunner(
        ArchiverSettings settings,
        ConnectionCatalog connections,
        IArchiveReader store,
        PolicyRunner policies,
        TimeProvider time,
        ILogger<RestoreRunner> logger
    )
    {
        _settings = settings;
        _connections = connections;
        _store = store;
        _policies = policies;
        _time = time;
        _logger = logger;
    }

    /// <summary>Restores; the outcome is in the report, whatever it is.</summary>
    public async Task<RestoreReport> RunAsync(
        RestoreOptions options,
        IProgress<RestoreProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var started = _time.GetTimestamp();
        var tally = new RestoreTally(progress, keepConflicts: options is { OnConflict: ConflictMode.Replace, DryRun: false });
        var (run, outcome, error) = (Guid.Empty, (RunOutcome?)null, (string?)null);
        try
        {
            var source = RestoreChoice.Check(_settings, options);
            await using (var connection = await _connections[source.Name].OpenAsync(cancellationToken))
                source = await OptionalParts.OfNowAsync(connection, source, cancellationToken);
            options = await new RestoreChoice(_connections[source.Name], source).ResolveAsync(options, cancellationToken);
            if (options is { IntoSource: true, DryRun: false })
                (run, outcome, error) = await RunIntoSourceAsync(source, options, tally, cancellationToken);
            else
                await WorkOn(source).RestoreAsync(options, tally, scope: null, candidates: null, cancellationToken);
        }
        catch (Exception exception)
        {
            (outcome, error) = await ExplainAsync(options.Source, exception, tally);
        }
        var report = tally.Summarize(run, options.DryRun, outcome, error, _time.GetElapsedTime(started));
        var elapsed = (long)report.Elapsed.TotalMilliseconds;
        _logger.RestoreEnded(
            run,
            options.Source,
            report.Outcome,
            report.Restored,
            report.Rows,
            report.AlreadyThere,
            report.Refused.Count,
            elapsed
        );
        return report;
    }

    private async Task<(Guid Run, RunOutcome? Outcome, string? Error)> RunIntoSourceAsync(
        SourceSettings source,
        RestoreOptions options,
        RestoreTally tally,
        CancellationToken cancellationToken
    )
    {
        var first = await RunLockedAsync(source, options, tally, candidates: null, cancellationToken);
        if (first.Outcome is not null || tally.TakeConflicting() is not { Count: > 0 } conflicting)
            return first;
        var left = await new LiveReplacement(source, _settings, _connections[source.Name], _store, _policies).ReplaceAsync(
            options,
            first.Run,
            tally,
            conflicting,
            cancellationToken
        );
        // What could not give way, because it is held or in use, is still there and is refused now; what is gone meanwhile is restored.
        if (left.Count == 0)
            return first;
        var second = await RunLockedAsync(source, options, tally, left, cancellationToken);
        if (second.Outcome != RunOutcome.LockedElsewhere)
            return second;
        // By now something was recorded, and perhaps replaced: only these were not reached.
        tally.AddNotReached(left, "another worker runs on this source by now; run the restore again when it has ended");
        return first;
    }

    /// <summary>One restore under the source's lock, recorded as a run.</summary>
    private async Task<(Guid Run, RunOutcome? Outcome, string? Error)> RunLockedAsync(
        SourceSettings source,
        RestoreOptions options,
        RestoreTally tally,
        IReadOnlyList<RestoreCandidate>? candidates,
        CancellationToken cancellationToken
    )
    {
        var scope = await RestoreScope.BeginAsync(source, _settings, _connections[source.Name], _time, cancellationToken);
        if (scope is null)
            return (
                Guid.Empty,
                RunOutcome.LockedElsewhere,
                "Another worker runs on this source, so nothing was restored. Try again when it has ended; see: archiver status"
            );
        await using (scope)
        {
            FaultPoint.Reach(FaultPoints.RestoreRecorded);
            var (outcome, error) = ((RunOutcome?)null, (string?)null);
            try
            {
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, scope.Lost);
                await WorkOn(source).RestoreAsync(options, tally, scope, candidates, stop.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && scope.Lost.IsCancellationRequested)
            {
                (outcome, error) = (
                    RunOutcome.Failed,
                    $"The restore's lock on source '{source.Name}' was lost: its connection to the "
                        + "server broke. What was committed before stays restored."
                );
            }
            catch (Exception exception)
            {
                (outcome, error) = await ExplainAsync(source.Name, exception, tally);
            }
            FaultPoint.Reach(FaultPoints.RestoreEnding);
            var report = tally.Summarize(scope.RunId, dryRun: false, outcome, error, TimeSpan.Zero);
            await FailedRun.RecordEndAsync(scope.RunId, () => scope.EndAsync(report), _logger);
            return (scope.RunId, outcome, error);
        }
    }

    private RestoreWork WorkOn(SourceSettings source) => new(source, _settings, _connections[source.Name], _store, _time);

    private Task<(RunOutcome Outcome, string Error)> ExplainAsync(string source, Exception exception, RestoreTally tally)
    {
        tally.WrongUsage = exception is ArchiverException { Kind: FailureKind.Configuration };
        // What was typed wrongly is told to whoever typed it, and is nothing for the log.
        return tally.WrongUsage
            ? Task.FromResult((RunOutcome.Refused, exception.Message))
            : FailedRun.ExplainAsync(_connections[source], $"{source}/{RestoreScope.Name}", exception, _logger);
    }
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>
/// The frame of a run that no policy asks for, such as <c>discard</c>: ledger current, the source's lock taken, the run recorded and
/// closed, and every failure an outcome that is logged once.
/// </summary>
internal sealed class ManualRun(ArchiverSettings settings, ConnectionCatalog connections, TimeProvider time, ILogger logger)
{
    /// <summary>Runs work under the source's lock.</summary>
    /// <param name="source">The source.</param>
    /// <param name="action">As <c>runs.action</c> has it; it also stands for the policy, so that <c>pause</c> of a source stops it.</param>
    /// <param name="work">What to do; it stops when the lock is lost.</param>
    /// <param name="summarize">The run's counts at its end.</param>
    /// <param name="cancellationToken">Stops it; what was committed stays.</param>
    public async Task<ManualOutcome> ExecuteAsync(
        SourceSettings source,
        string action,
        Func<ManualScope, CancellationToken, Task> work,
        Func<RunSummary> summarize,
        CancellationToken cancellationToken
    )
    {
        ManualScope? scope = null;
        try
        {
            await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
            await RunScope.PrepareLedgerAsync(connection, settings.AutoMigrate, cancellationToken);
            if (await Pauses.StoppedByAsync(connection, source.Name, action, cancellationToken) is { } pause)
                return new(Guid.Empty, RunOutcome.Paused, pause);
            await using var taken = await SourceLock.TryTakeAsync(connections[source.Name], time, cancellationToken);
            if (taken is null)
                return new(
                    Guid.Empty,
                    RunOutcome.LockedElsewhere,
                    "Another worker runs on this source. Try again when it has ended; see: archiver status"
                );
            await SourceRegistry.RegisterAsync(connections[source.Name], connection, source, cancellationToken);
            var (database, now) = await DatabaseIdentity.ReadAsync(connection, cancellationToken);
            scope = new ManualScope(Guid.CreateVersion7(now), source, database, now, connections[source.Name], taken.Lease);
            await RunJournal.BeginAsync(
                connection,
                scope.RunId,
                source.Name,
                action,
                action,
                taken.Lease,
                new Cutoffs(now),
                cancellationToken
            );
            return await WorkAsync(scope, action, work, summarize, taken, cancellationToken);
        }
        catch (Exception exception) when (scope is null)
        {
            var (outcome, error) = await FailedRun.ExplainAsync(connections[source.Name], $"{source.Name}/{action}", exception, logger);
            return new(Guid.Empty, outcome, error);
        }
    }

    private async Task<ManualOutcome> WorkAsync(
        ManualScope scope,
        string action,
        Func<ManualScope, CancellationToken, Task> work,
        Func<RunSummary> summarize,
        SourceLock taken,
        CancellationToken cancellationToken
    )
    {
        var (outcome, error) = ((RunOutcome?)null, (string?)null);
        try
        {
            // Of the recorded run, so that status shows why the nightly discard destroys nothing.
            LedgerOwner.Require(scope.Database);
            await taken.WhileHeldAsync(token => work(scope, token), cancellationToken);
        }
        catch (Exception exception)
        {
            (outcome, error) = await FailedRun.ExplainAsync(scope.Connections, $"{scope.Source.Name}/{action}", exception, logger);
        }
        var summary = summarize();
        summary = summary with { RunId = scope.RunId, Outcome = outcome ?? summary.Outcome, Error = error ?? summary.Error };
        await FailedRun.RecordEndAsync(
            scope.RunId,
            () => RunJournal.EndAsync(scope.Connections, scope.RunId, scope.Source.Name, summary),
            logger
        );
        return new(scope.RunId, summary.Outcome, summary.Error);
    }
}

/// <summary>What the work of a manual run needs to know.</summary>
internal sealed record ManualScope(
    Guid RunId,
    SourceSettings Source,
    DatabaseIdentity Database,
    DateTimeOffset Now,
    SourceConnections Connections,
    Lease Lease
)
{
    /// <summary>Part of every destructive step: whoever lost the lock may not go on.</summary>
    /// <exception cref="ArchiverException">The lease is lost.</exception>
    public Task RequireLeaseAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        Lease.RequireAsync(connection, Source.Name, "Nothing more was touched; run it again.", cancellationToken);

    /// <summary>What would keep it from starting now, as a message says it, or null: asked before each page of many.</summary>
    /// <param name="action">As for <see cref="ManualRun.ExecuteAsync"/>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<string?> PausedByAsync(string action, CancellationToken cancellationToken)
    {
        await using var connection = await Connections.OpenAsync(cancellationToken);
        return await Pauses.StoppedByAsync(connection, Source.Name, action, cancellationToken);
    }

    /// <inheritdoc cref="LeasedCommit.CommitAsync"/>
    public Task CommitAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken) =>
        Lease.CommitAsync(Connections, connection, transaction, cancellationToken);
}

/// <summary>How a manual run ended; the id is empty where none began.</summary>
internal sealed record ManualOutcome(Guid RunId, RunOutcome Outcome, string? Error);

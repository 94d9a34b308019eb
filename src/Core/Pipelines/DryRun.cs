using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Pipelines;

/// <summary>
/// What a real run would take, by the same counts and the same trip wire; reads the database, and neither writes nor touches the store.
/// </summary>
internal sealed class DryRun(ArchiverSettings settings, ConnectionCatalog connections, ILogger logger)
{
    /// <summary>Counts; the outcome is in the summary.</summary>
    /// <exception cref="ArchiverException">The trip wire, or an inspection, would refuse the run.</exception>
    public async Task<RunSummary> RunAsync(RunRequest request, CancellationToken cancellationToken)
    {
        await using var connection = await connections[request.Source.Name].OpenAsync(cancellationToken);
        // The first start makes the ledger, as in any run; after that a dry run only reads.
        await RunScope.PrepareLedgerAsync(connection, settings.AutoMigrate, cancellationToken);
        var context = await ReadOnlyContext.MakeAsync(
            connection,
            request.Source,
            request.Policy,
            settings,
            connections,
            cancellationToken
        ) with
        {
            Shard = request.Shard ?? Shard.Whole,
        };
        var plan = await PolicyPlan.CountAsync(context, cancellationToken);
        var (due, _) = await DelayedDeleteSelector.CountForAsync(context, cancellationToken);
        var take = Math.Min(plan.Eligible + due, request.Limit);
        await TripWire.CheckAsync(context, settings.Safety, take, cancellationToken);
        logger.DryRun(request.Policy.FullName, take);
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
}

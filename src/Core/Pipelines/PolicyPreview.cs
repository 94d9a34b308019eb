using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Pipelines;

/// <summary>What a run of a policy would do now, and with which sessions. Changes nothing, in the database or the store.</summary>
internal sealed class PolicyPreview(ArchiverSettings settings, ConnectionCatalog connections)
{
    /// <summary>Counts and sizes, and up to <paramref name="most"/> sessions in the order in which a run would take them.</summary>
    /// <exception cref="ArchiverException">The source is not fit, or the policy's condition fails on a row.</exception>
    public async Task<PreviewedPolicy> ReadAsync(SourceSettings source, Policy policy, int most, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadOnceAsync(source, policy, most, cancellationToken);
        }
        catch (PostgresException exception)
        {
            throw await WhereFault.ExplainAsync(connections[source.Name], policy, exception)
                ?? await connections[source.Name].ForPersonAsync(exception);
        }
    }

    private async Task<PreviewedPolicy> ReadOnceAsync(SourceSettings source, Policy policy, int most, CancellationToken cancellationToken)
    {
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        var run = await ReadOnlyContext.MakeAsync(connection, source, policy, settings, connections, cancellationToken);
        var plan = await PolicyPlan.CountAsync(run, cancellationToken);
        List<SelectedSession> sessions = [];
        var selector = new BatchSelector(run);
        while (sessions.Count < most && await selector.NextAsync(most - sessions.Count, cancellationToken) is { } batch)
            sessions.AddRange(batch.Sessions);
        var (due, _) = await DelayedDeleteSelector.CountForAsync(run, cancellationToken);
        var take = Math.Min(plan.Eligible + due, new RunRequest(source, policy).Limit);
        return new(
            run.Cutoffs.Now,
            plan,
            due,
            await PlanSize.ReadAsync(run, cancellationToken),
            sessions,
            TripWire.Trips(plan.Total, take, settings.Safety)
                && !await TripWire.IsAcceptedAsync(connection, run.Source, policy, cancellationToken),
            await PolicyOverlap.CountAsync(run, cancellationToken),
            run.Warnings
        );
    }
}

using Archiver.Core.Configuration;
using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;

namespace Archiver.Core.Selection;

/// <summary>What a run of a policy would do now, and with which sessions. Changes nothing, in the database or the store.</summary>
internal sealed class PolicyPreview(ArchiverSettings settings, ConnectionCatalog connections)
{
    /// <summary>Counts and sizes, and up to <paramref name="most"/> sessions in the order in which a run would take them.</summary>
    public async Task<PreviewedPolicy> ReadAsync(
        SourceSettings source, Policy policy, int most, CancellationToken cancellationToken)
    {
        var pool = connections[source.Name];
        await using var connection = await pool.OpenAsync(cancellationToken).ConfigureAwait(false);
        await Migrator.RequireCurrentAsync(connection, cancellationToken).ConfigureAwait(false);
        var inspection = await SourceInspector.InspectAsync(connection, source, cancellationToken).ConfigureAwait(false);
        var (database, now) = await RunScope.IdentifyAsync(connection, cancellationToken).ConfigureAwait(false);
        var run = new RunContext
        {
            Id = Guid.Empty,
            Source = source,
            Policy = policy,
            Batch = settings.Batch,
            Cutoffs = new Cutoffs(now),
            Database = database,
            Shape = inspection.Require(source.Name),
            Connections = pool,
            Lease = new Lease(0, 0),
        };
        var plan = await PolicyPlan.CountAsync(run, cancellationToken).ConfigureAwait(false);
        List<SelectedSession> sessions = [];
        var selector = new BatchSelector(run);
        while (sessions.Count < most && await selector.NextAsync(most - sessions.Count, cancellationToken).ConfigureAwait(false) is { } batch)
            sessions.AddRange(batch.Sessions);
        return new(now, plan, await PlanSize.ReadAsync(run, cancellationToken).ConfigureAwait(false), sessions);
    }
}

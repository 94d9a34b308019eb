using Archiver.Core.Configuration;
using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Selection;

/// <summary>What a run of a policy would do now, and with which sessions. Changes nothing, in the database or the store.</summary>
internal sealed class PolicyPreview(ArchiverSettings settings, ConnectionCatalog connections)
{
    /// <summary>Counts and sizes, and up to <paramref name="most"/> sessions in the order in which a run would take them.</summary>
    public async Task<PreviewedPolicy> ReadAsync(
        SourceSettings source, Policy policy, int most, CancellationToken cancellationToken)
    {
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken).ConfigureAwait(false);
        var run = await ContextAsync(connection, source, policy, settings, connections, cancellationToken).ConfigureAwait(false);
        var plan = await PolicyPlan.CountAsync(run, cancellationToken).ConfigureAwait(false);
        List<SelectedSession> sessions = [];
        var selector = new BatchSelector(run);
        while (sessions.Count < most && await selector.NextAsync(most - sessions.Count, cancellationToken).ConfigureAwait(false) is { } batch)
            sessions.AddRange(batch.Sessions);
        return new(run.Cutoffs.Now, plan, await PlanSize.ReadAsync(run, cancellationToken).ConfigureAwait(false), sessions);
    }

    /// <summary>What the stages that only read need to know; it holds no lock and is no run.</summary>
    /// <exception cref="Diagnostics.ArchiverException">The ledger is not current, or inspection refuses.</exception>
    public static async Task<RunContext> ContextAsync(
        NpgsqlConnection connection, SourceSettings source, Policy policy, ArchiverSettings settings, ConnectionCatalog connections, CancellationToken cancellationToken)
    {
        await Migrator.RequireCurrentAsync(connection, cancellationToken).ConfigureAwait(false);
        var inspection = await SourceInspector.InspectAsync(connection, source, cancellationToken, settings.Batch.LockTimeout).ConfigureAwait(false);
        var (database, now) = await RunScope.IdentifyAsync(connection, cancellationToken).ConfigureAwait(false);
        return new()
        {
            Id = Guid.Empty,
            Source = source,
            Policy = policy,
            Batch = settings.Batch,
            Cutoffs = new Cutoffs(now),
            Database = database,
            Shape = inspection.Require(source.Name),
            Connections = connections[source.Name],
            Lease = new Lease(0, 0),
        };
    }
}

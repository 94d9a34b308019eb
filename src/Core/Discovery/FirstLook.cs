using Archiver.Core.Inspection;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Selection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Discovery;

/// <summary>What <c>archiver plan</c> would say of a source that has no ledger yet.</summary>
/// <param name="Inspection">What forbids a run, and what a person should know.</param>
/// <param name="Plan">What the policy would take; null where inspection forbids it, or the count takes too long.</param>
/// <param name="Size">How much that is.</param>
internal sealed record FirstLook(InspectionReport Inspection, PolicyPlan? Plan, PlanSize? Size)
{
    // A count is given ten times as long.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(6);

    /// <summary>Inspects and counts. Changes nothing.</summary>
    public static async Task<FirstLook> TakeAsync(
        ArchiverSettings settings,
        ConnectionCatalog connections,
        CancellationToken cancellationToken
    )
    {
        var source = settings.Sources[0];
        await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
        var inspection = await SourceInspector.InspectAsync(connection, source, cancellationToken, settings.Batch.LockTimeout);
        if (!inspection.LacksIndexesOnly)
            return new(inspection, null, null);
        var run = new RunContext
        {
            Id = Guid.Empty,
            Source = inspection.Source,
            Policy = source.Policies[0],
            Batch = settings.Batch with { StatementTimeout = Patience },
            Cutoffs = new Cutoffs(
                (await connection.QueryAsync("SELECT clock_timestamp()", row => row.GetFieldValue<DateTimeOffset>(0), cancellationToken))[0]
            ),
            Database = new("", "", "", ""),
            Shape = inspection.Shape,
            Connections = connections[source.Name],
            Lease = new Lease(0, 0),
            HasLedger = false,
        };
        try
        {
            return new(inspection, await PolicyPlan.CountAsync(run, cancellationToken), await PlanSize.ReadAsync(run, cancellationToken));
        }
        catch (PostgresException exception) when (exception.IsStatementTimeout())
        {
            // Without the indexes that are missing it may take hours; the configuration is worth having all the same.
            return new(inspection, null, null);
        }
    }
}

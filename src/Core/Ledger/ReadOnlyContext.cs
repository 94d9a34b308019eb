using Archiver.Core.Diagnostics;
using Archiver.Core.Inspection;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>The context of plan, explain and dry runs.</summary>
internal static class ReadOnlyContext
{
    /// <summary>What the stages that only read need to know; it holds no lock and is no run.</summary>
    /// <exception cref="ArchiverException">The ledger is not current, or inspection refuses.</exception>
    public static async Task<RunContext> MakeAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        Policy policy,
        ArchiverSettings settings,
        ConnectionCatalog connections,
        CancellationToken cancellationToken
    )
    {
        var inspection = await SourceInspector.InspectAsync(connection, source, cancellationToken, settings.Batch.LockTimeout);
        await RequireLedgerAsync(connection, inspection, source, cancellationToken);
        await SourceRegistry.CheckAsync(connection, inspection.Source, cancellationToken);
        var (database, now) = await DatabaseIdentity.ReadAsync(connection, cancellationToken);
        return new()
        {
            Id = Guid.Empty,
            Source = inspection.Source,
            Policy = policy,
            Batch = settings.Batch,
            Cutoffs = new Cutoffs(now),
            Database = database,
            Shape = inspection.Require(source.Name),
            Connections = connections[source.Name],
            Lease = new Lease(0, 0),
            Warnings = inspection.Warnings,
        };
    }

    /// <summary>Before the ledger is there, the first thing that a person asks is whether the source fits: that is answered too.</summary>
    private static async Task RequireLedgerAsync(
        NpgsqlConnection connection,
        InspectionReport inspection,
        SourceSettings source,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await Migrator.RequireCurrentAsync(connection, cancellationToken);
        }
        catch (ArchiverException ledger) when (inspection.Problems.Count + inspection.Warnings.Count > 0)
        {
            (inspection with { Problems = inspection.Problems.Count == 0 ? [] : [.. inspection.Problems, ledger.Message] }).Require(
                source.Name
            );
            throw new ArchiverException(
                ledger.Kind,
                $"{ledger.Message}\nInspection has warnings for source "
                    + $"'{source.Name}':{string.Concat(inspection.Warnings.Select(w => $"\n  - {w}"))}",
                ledger
            );
        }
    }
}

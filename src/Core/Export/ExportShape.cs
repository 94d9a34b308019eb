using Archiver.Core.Diagnostics;
using Archiver.Core.Inspection;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Export;

/// <summary>
/// The tables as inspection has found them fit: at the beginning of the run, and again when they have been changed since. A description
/// alone would take over what inspection refuses, such as rows of an inheriting table, of which a copy has some columns only.
/// </summary>
internal sealed class ExportShape(RunContext run)
{
    /// <summary>What is exported by, where <see cref="IsOfNowAsync"/> says so.</summary>
    public SourceShape Current { get; private set; } = run.Shape;

    /// <summary>The messages stand before the related tables in a document, whatever their order in the map.</summary>
    public IEnumerable<TableShape> InOrderOfDocument =>
        Current.Tables.OrderBy(t =>
            t.Name switch
            {
                SourceMap.SessionName => 0,
                SourceMap.MessagesName => 1,
                _ => 2,
            }
        );

    /// <summary>Whether the tables, which the connection has locked, are as they were inspected.</summary>
    public Task<bool> IsOfNowAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        TableDescriber.AreAsDescribedAsync(connection, Current, cancellationToken);

    /// <summary>
    /// Inspects the tables as they are now. Nothing of the run may have them locked: whoever waits to change them would be waited for.
    /// </summary>
    /// <exception cref="ArchiverException">They are not fit any more.</exception>
    public async Task InspectAsync(CancellationToken cancellationToken)
    {
        await using var connection = await run.Connections.OpenAsync(cancellationToken);
        var report = await SourceInspector.InspectAsync(connection, run.Source, cancellationToken, run.Batch.LockTimeout);
        if (report.Problems.Count > 0)
            throw new ArchiverException(
                FailureKind.Failed,
                $"The tables of source '{run.Source.Name}' were changed during the run and are not fit for the archiver any more; what was "
                    + $"committed before stays archived:{string.Concat(report.Problems.Select(p => $"\n  - {p}"))}"
            );
        Current = report.Shape;
    }
}

using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Core.Inspection;

/// <summary>
/// Reads a source from the system catalogs at start and before every run, and finds everything that would make a run unsafe.
/// </summary>
internal static class SourceInspector
{
    private static readonly TimeSpan StatementTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Changes nothing; the connection must not be in a transaction.</summary>
    /// <param name="lockTimeout">The batches' lock timeout, to be compared with the server's <c>deadlock_timeout</c>.</param>
    public static async Task<InspectionReport> InspectAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        CancellationToken cancellationToken,
        TimeSpan? lockTimeout = null
    )
    {
        var findings = new Findings();
        ServerChecks.CheckVersion(connection.PostgreSqlVersion, findings);
        if (findings.Problems.Count > 0)
            return new(source, new SourceShape([]), findings.Problems, findings.Warnings);

        source = await OptionalParts.OfNowAsync(connection, source, cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await connection.ExecuteAsync(TransactionSettings.ReadOnly(StatementTimeout), cancellationToken);
        var shape = await TableDescriber.DescribeAsync(connection, source.Map, cancellationToken);
        var catalog = await new CatalogReader(connection, source).ReadAsync(shape, cancellationToken);

        ServerChecks.Check(catalog, lockTimeout, findings);
        ExistenceChecks.Check(catalog, findings);
        PrivilegeChecks.Check(catalog, findings);
        RelationChecks.Check(catalog, findings);
        var probe = new AdviceProbe(connection, transaction);
        await KeyChecks.CheckAsync(catalog, probe, findings, cancellationToken);
        await TypeChecks.CheckAsync(catalog, probe, findings, cancellationToken);
        ForeignKeyChecks.Check(catalog, findings);
        TriggerChecks.Check(catalog, findings);
        IndexChecks.Check(catalog, findings);
        await LookalikeChecks.CheckAsync(connection, catalog, findings, cancellationToken);
        await new ExpressionProbe(connection, transaction, findings).CheckAsync(catalog, cancellationToken);
        return new(source, shape with { References = SessionReferences.Of(catalog) }, findings.Problems, findings.Warnings)
        {
            Indexes = findings.Indexes,
            LacksIndexesOnly = findings.LacksIndexesOnly,
        };
    }
}

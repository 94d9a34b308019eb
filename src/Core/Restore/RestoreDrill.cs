using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Archiver.Core.Tombstones;
using Npgsql;

namespace Archiver.Core.Restore;

/// <summary>
/// Restores archives into temporary tables like the real ones, by the very code that restores for real, and rolls back. No lock, no trigger,
/// no row that anybody else could see.
/// </summary>
internal sealed class RestoreDrill(ArchiverSettings settings, SourceConnections connections, IArchiveReader store, TimeProvider time)
{
    private const string TemporarySchema = "SELECT n.nspname::text FROM pg_catalog.pg_namespace AS n WHERE n.oid = pg_catalog.pg_my_temp_schema()";

    public async Task<RestoreReport> RunAsync(SourceSettings source, IReadOnlyList<RestoreCandidate> candidates, CancellationToken cancellationToken)
    {
        var tally = new RestoreTally(null, keepConflicts: false);
        await using var connection = await connections.OpenDirectAsync(cancellationToken).ConfigureAwait(false);
        var target = await CreateTablesAsync(connection, source.Map, cancellationToken).ConfigureAwait(false);
        using var plans = new ImportPlans(target, DriftOptions.None, connections.OpenAsync);
        // The temporary tables are this connection's: an import that lost it cannot go on elsewhere.
        var opened = false;
        Task<NpgsqlConnection> OpenOnceAsync(CancellationToken token)
        {
            if (opened)
                throw new ArchiverException(FailureKind.Failed, "The restore drill lost its connection to the server.");
            opened = true;
            return Task.FromResult(connection);
        }
        await using var importer = new SessionImporter(
            target, new RestoreOptions { Source = source.Name, DryRun = true }, records: null, OpenOnceAsync,
            new ImportSettings(settings.Batch, source.TimeZone), new DatabaseRetry(settings.Retry, time));
        await new RestorePipeline(store, new SessionStager(plans, source.Name, TombstoneSet.Empty), importer, tally, settings.Storage.UploadConcurrency)
            .RunAsync(Pages(candidates), cancellationToken).ConfigureAwait(false);
        return tally.Summarize(Guid.Empty, dryRun: true, null, null, TimeSpan.Zero);
    }

    private static async Task<RestoreTarget> CreateTablesAsync(NpgsqlConnection connection, SourceMap map, CancellationToken cancellationToken)
    {
        foreach (var table in map.Children.Select(c => c.Table).Prepend(map.Session.Table))
            await connection.ExecuteAsync($"CREATE TEMPORARY TABLE {PgIdentifier.Quote(table.Name)} (LIKE {table.Sql} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS)", cancellationToken).ConfigureAwait(false);
        var schema = (await connection.ScalarAsync<string>(TemporarySchema, cancellationToken).ConfigureAwait(false))!;
        return await RestoreTarget.DescribeAsync(connection, RestoreTarget.InSchema(map, schema), cancellationToken).ConfigureAwait(false);
    }

    private static async IAsyncEnumerable<IReadOnlyList<RestoreCandidate>> Pages(IReadOnlyList<RestoreCandidate> candidates)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        yield return candidates;
    }
}

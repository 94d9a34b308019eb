using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Import;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Restore;

/// <summary>
/// Rehearses restores by the very code that restores for real, and rolls everything back: into the tables themselves, with their triggers,
/// constraints and sequences. A session whose rows are live cannot go there a second time; it goes into temporary tables like the real
/// ones, and so do all where the role may not insert, and so restores nothing.
/// </summary>
internal sealed class RestoreDrill(ArchiverSettings settings, SourceConnections connections, IArchiveReader store, TimeProvider time)
{
    private const string TemporarySchema =
        "SELECT n.nspname::text FROM pg_catalog.pg_namespace AS n WHERE n.oid = pg_catalog.pg_my_temp_schema()";

    private const string MayInsert = "SELECT bool_and(has_table_privilege(t.oid, 'INSERT')) FROM unnest($1) AS t (oid)";

    // Names of temporary tables, with those of the user's that they stand for.
    private readonly List<(string Temporary, string Real)> _names = [];

    /// <summary>Sessions that were loaded into temporary tables instead, without the triggers and foreign keys of the real ones.</summary>
    public long Aside { get; private set; }

    public async Task<RestoreReport> RunAsync(
        SourceSettings source,
        IReadOnlyList<RestoreCandidate> candidates,
        CancellationToken cancellationToken
    )
    {
        var tally = new RestoreTally(null, keepConflicts: false);
        await using var connection = await connections.OpenDirectAsync(cancellationToken);
        source = await OptionalParts.OfNowAsync(connection, source, cancellationToken);
        var target = await RestoreTarget.DescribeAsync(connection, source.Map, cancellationToken);
        var live = await target.ExistingAsync(connection, candidates.Select(c => c.SessionId!), cancellationToken);
        var mayInsert = await connection.ScalarAsync<bool>(
            MayInsert,
            cancellationToken,
            PgParameter.Oids(target.Shape.Tables.Select(t => t.Oid).Where(o => o != TableShape.None))
        );
        var sessions = candidates.ToLookup(c => mayInsert && !live.Contains(c.SessionId!));
        if (sessions[true].Any())
            await RunAsync(connection, source, target, [.. sessions[true]], tally, cancellationToken);
        if (sessions[false].Any())
        {
            var before = tally.Restored;
            var temporary = await CreateTablesAsync(connection, source.Map, cancellationToken);
            await RunAsync(connection, source, temporary, [.. sessions[false]], tally, cancellationToken);
            Aside = tally.Restored - before;
        }
        var report = tally.Summarize(Guid.Empty, dryRun: true, null, null, TimeSpan.Zero);
        return report with { Refused = [.. report.Refused.Select(r => r with { Reason = Named(r.Reason) })] };
    }

    private async Task RunAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        RestoreTarget target,
        IReadOnlyList<RestoreCandidate> candidates,
        RestoreTally tally,
        CancellationToken cancellationToken
    )
    {
        using var plans = new ImportPlans(target, DriftOptions.None, connections.OpenAsync, source.TimeZone);
        var options = new RestoreOptions
        {
            Source = source.Name,
            Who = RunJournal.WorkerName,
            DryRun = true,
        };
        var into = new ImportTarget(target, options, source.TimeZone, await connections.ApplicationZoneAsync(cancellationToken));
        // Temporary tables are their connection's: an import that lost it cannot go on elsewhere.
        var temporary = target.Map != source.Map;
        var opened = false;
        Task<NpgsqlConnection> OpenAsync(CancellationToken token)
        {
            if (!temporary)
                return connections.OpenDirectAsync(token);
            if (opened)
                throw new ArchiverException(FailureKind.Failed, "The restore drill lost its connection to the server.");
            opened = true;
            return Task.FromResult(connection);
        }
        await using var importer = new SessionImporter(
            into,
            records: null,
            OpenAsync,
            settings.Batch,
            new DatabaseRetry(settings.Retry, time)
        );
        await new RestorePipeline(
            store,
            new SessionStager(plans, source.Name, TombstoneSet.Empty),
            importer,
            tally,
            settings.Storage.UploadConcurrency
        ).RunAsync(Pages(candidates), cancellationToken);
    }

    private async Task<RestoreTarget> CreateTablesAsync(NpgsqlConnection connection, SourceMap map, CancellationToken cancellationToken)
    {
        foreach (var table in Tables(map))
            await connection.ExecuteAsync(
                $"CREATE TEMPORARY TABLE {PgIdentifier.Quote(table.Name)} (LIKE {table.Sql} INCLUDING DEFAULTS "
                    + "INCLUDING GENERATED INCLUDING CONSTRAINTS)",
                cancellationToken
            );
        var schema = (await connection.ScalarAsync<string>(TemporarySchema, cancellationToken))!;
        var temporary = RestoreTarget.InSchema(map, schema);
        _names.AddRange(Tables(temporary).Zip(Tables(map), (t, real) => ($"{t}", $"{real}")).OrderByDescending(n => n.Item1.Length));
        return await RestoreTarget.DescribeAsync(connection, temporary, cancellationToken);
    }

    private static IEnumerable<TableName> Tables(SourceMap map) => map.Children.Select(c => c.Table).Prepend(map.Session.Table).Distinct();

    private string Named(string reason) =>
        _names.Aggregate(reason, (text, name) => text.Replace(name.Temporary, name.Real, StringComparison.Ordinal));

    private static async IAsyncEnumerable<IReadOnlyList<RestoreCandidate>> Pages(IReadOnlyList<RestoreCandidate> candidates)
    {
        await Task.CompletedTask;
        yield return candidates;
    }
}

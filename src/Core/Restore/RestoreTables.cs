using Archiver.Core.Bucket;
using Archiver.Core.Diagnostics;
using Archiver.Core.Import;
using Archiver.Core.Postgres;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Restore;

/// <summary>The tables that a restore goes into, and what reads documents for them.</summary>
internal sealed class RestoreTables : IAsyncDisposable
{
    private const string CountsRows = "SELECT pg_catalog.current_setting('track_counts')::pg_catalog.bool";

    private const string Uncounted =
        "track_counts is off in the database that is restored to, and without it a trigger that deletes rows of other sessions goes "
        + "unseen. Switch it on for the role or the database (ALTER DATABASE ... SET track_counts = on), or restore without triggers "
        + "(--disable-triggers). Nothing was written.";

    private readonly NpgsqlDataSource? _other;
    private readonly Func<CancellationToken, Task<NpgsqlConnection>> _open;
    private readonly ImportPlans _plans;

    private RestoreTables(
        NpgsqlDataSource? other,
        Func<CancellationToken, Task<NpgsqlConnection>> open,
        ImportTarget into,
        ImportPlans plans,
        SessionStager stager
    ) => (_other, _open, Into, _plans, Stager) = (other, open, into, plans, stager);

    public ImportTarget Into { get; }

    public SessionStager Stager { get; }

    /// <exception cref="ArchiverException">The session table is not there, or an option makes no sense.</exception>
    public static async Task<RestoreTables> OpenAsync(
        SourceSettings source,
        RestoreOptions options,
        SourceConnections connections,
        IArchiveReader store,
        CancellationToken cancellationToken
    )
    {
        TombstoneSet erased;
        await using (var ledger = await connections.OpenAsync(cancellationToken))
            erased = await new TombstoneReader(store).LoadAsync(source, ledger, cancellationToken);
        var other = options.TargetConnectionString is { } text ? OtherTarget.Build(text) : null;
        try
        {
            Func<CancellationToken, Task<NpgsqlConnection>> open = other is null
                ? connections.OpenDirectAsync
                : token => OtherTarget.OpenAsync(other, token);
            var map = options.IntoSchema is { } schema ? RestoreTarget.InSchema(source.Map, schema) : source.Map;
            await using var connection = other is null
                ? await open(cancellationToken)
                : await OtherTarget.OpenFirstAsync(other, cancellationToken);
            var zone =
                options.TargetConnectionString is { } to && source.TimeZone == "UTC"
                    ? await OtherTarget.NamedAsync(to, () => ConnectionText.ZoneAsync(to, cancellationToken))
                    : await connections.ApplicationZoneAsync(cancellationToken);
            if (!options.DisableTriggers && !await connection.ScalarAsync<bool>(CountsRows, cancellationToken))
                throw new ArchiverException(FailureKind.Refused, Uncounted);
            var target = await RestoreTarget.DescribeAsync(connection, map, cancellationToken);
            var plans = new ImportPlans(
                target,
                DriftOptions.Parse(options.Maps, options.DropColumns, options.AcceptLoss),
                open,
                source.TimeZone
            );
            return new(
                other,
                open,
                new ImportTarget(target, options, source.TimeZone, zone),
                plans,
                new SessionStager(plans, source.Name, erased)
            );
        }
        catch
        {
            if (other is not null)
                await other.DisposeAsync();
            throw;
        }
    }

    /// <summary>A connection to the tables.</summary>
    public Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => _open(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _plans.Dispose();
        if (_other is not null)
            await _other.DisposeAsync();
    }
}

using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Worker.Access;

/// <summary>Connections to a source's ledger.</summary>
internal sealed class LedgerAccess(ArchiverSettings settings, ConnectionCatalog connections, SourceErrors errors)
{
    /// <summary>For verbs that only read: where there is no ledger there is nothing, and none is made.</summary>
    public Task<IReadOnlyList<T>> ReadAsync<T>(
        SourceSettings source,
        Func<NpgsqlConnection, Task<IReadOnlyList<T>>> read,
        CancellationToken cancellationToken
    ) => errors.ExplainAsync(source, async () =>
        {
            await using var connection = await connections[source.Name].OpenAsync(cancellationToken);
            if (!await Migrator.ExistsAsync(connection, cancellationToken))
                return [];
            await SourceRegistry.CheckAsync(connection, source, cancellationToken);
            return await read(connection);
        });

    /// <summary>For verbs that write: the ledger is brought up to date first, as runs do it.</summary>
    public Task<T> WriteAsync<T>(SourceSettings source, Func<SourceConnections, Task<T>> work, CancellationToken cancellationToken) =>
        errors.ExplainAsync(source, async () =>
        {
            await using (var connection = await connections[source.Name].OpenAsync(cancellationToken))
            {
                await RunScope.PrepareLedgerAsync(connection, settings.AutoMigrate, cancellationToken);
                await SourceRegistry.RegisterAsync(connections[source.Name], connection, source, cancellationToken);
            }
            return await work(connections[source.Name]);
        });
}

using Archiver.Core.Configuration;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Npgsql;

namespace Archiver.Worker.Commands;

/// <summary>A connection to a source's ledger for verbs that write to it, the ledger being current.</summary>
internal sealed class LedgerAccess(ArchiverSettings settings, ConnectionCatalog connections, SourceErrors errors)
{
    public Task<T> UseAsync<T>(SourceSettings source, Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken) =>
        errors.ExplainAsync(source, async () =>
        {
            await using var connection = await connections[source.Name].OpenAsync(cancellationToken).ConfigureAwait(false);
            await RunScope.PrepareLedgerAsync(connection, settings.AutoMigrate, cancellationToken).ConfigureAwait(false);
            return await work(connection).ConfigureAwait(false);
        });
}

using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Restore;

/// <summary>Notes in the ledger's audit who reads which document, before it is read: what cannot be noted is not shown.</summary>
internal sealed class ReadAudit(ArchiverSettings settings, ConnectionCatalog connections)
{
    private const string Archives = "UPDATE archiver.audit AS t SET archives = int8multirange(int8range($2, $2, '[]')) WHERE t.id = $1";

    /// <param name="who">The person at the command line, or whoever has the key.</param>
    /// <param name="action">The verb.</param>
    /// <param name="archive">What is read.</param>
    /// <param name="cancellationToken">Stops it; then nothing is noted.</param>
    public async Task NoteAsync(string who, string action, LocatedArchive archive, CancellationToken cancellationToken)
    {
        await using var connection = await connections[archive.Source].OpenAsync(cancellationToken);
        await RunScope.PrepareLedgerAsync(connection, settings.AutoMigrate, cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var counts = new Dictionary<string, long> { ["archives"] = 1, ["bytes"] = archive.Length };
        var entry = await AuditLog.WriteAsync(connection, new(who, action, archive.Source, Counts: counts), cancellationToken);
        await connection.ExecuteAsync(Archives, cancellationToken, PgParameter.Bigint(entry.Id), PgParameter.Bigint(archive.Id));
        await transaction.CommitAsync(cancellationToken);
    }
}

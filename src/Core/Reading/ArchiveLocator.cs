using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Sources;
using Archiver.Core.Storage;

namespace Archiver.Core.Reading;

/// <summary>
/// Finds a session's archive in the ledger, by session key or external id. An id that is one session's key and another's external id
/// means the key, also where the archive that is asked for is the other's alone.
/// </summary>
internal sealed class ArchiveLocator(ConnectionCatalog connections)
{
    private static readonly string Newest = $"""
        SELECT a.id, a.session_id, a.generation, a.state, o.key, o.version_id, a.byte_offset, a.byte_length, a.json_length, a.json_sha256,
          a.user_id, a.session_created_at, a.exported_at
        FROM archiver.archives AS a
        JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.source = $1
          AND (a.session_id = $2
               OR (a.external_id = $4 AND NOT EXISTS (SELECT FROM archiver.archives AS k
                                                      WHERE k.source = $1 AND k.session_id = $2 AND k.state <> 'erased')))
          AND ($3::int IS NULL OR a.generation = $3)
          AND a.state NOT IN ('abandoned', 'discarded', 'erased')
        ORDER BY {ArchiveOrder.NewestFirst("a")}
        LIMIT 1
        """;

    /// <summary>The newest archive that is in the store, or the one asked for; null when the ledger has none.</summary>
    public async Task<LocatedArchive?> FindAsync(string source, string id, int? generation, CancellationToken cancellationToken)
    {
        await using var connection = await connections[source].OpenAsync(cancellationToken);
        if (!await Migrator.ExistsAsync(connection, cancellationToken))
            return null;
        var settings = await OptionalParts.OfNowAsync(connection, connections[source].Source, cancellationToken);
        await SourceRegistry.CheckAsync(connection, settings, cancellationToken);
        var map = settings.Map;
        var key = (await SessionIdForm.ReadAsync(connection, map, cancellationToken)).KeyOf(id);
        var found = await connection.QueryAsync(
            Newest,
            row =>
                LocatedArchive.Read(source, row) with
                {
                    User = row.TextOrNull(10),
                    Created = row.InstantOrNull(11),
                    CopiedAt = row.GetFieldValue<DateTimeOffset>(12),
                },
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Text(key),
            PgParameter.Int(generation),
            PgParameter.Text(id)
        );
        if (found is not [var archive] || archive.SessionId == key)
            return found.SingleOrDefault();
        var shape = await TableDescriber.DescribeAsync(connection, map, cancellationToken);
        var live = await new SessionIds(connection, settings, shape).LiveAmongAsync([key], cancellationToken);
        return live.Count == 0 ? archive : null;
    }
}

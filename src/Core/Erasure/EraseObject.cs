using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Storage;
using Npgsql;

namespace Archiver.Core.Erasure;

/// <summary>An object of the ledger that holds, or held, a session that is to be erased.</summary>
/// <param name="IsGone">
/// Whether it was destroyed before. A backup of the bucket may have brought it back since, so the store is asked all the same.
/// </param>
/// <param name="Members">Every session in it; of one that is to be removed those alone that go with it.</param>
/// <param name="Runs">
/// Its own run and those of the archives in it: their manifests may name the session. An object has no archives where the database was
/// restored to a moment before the commit that its manifest confirms.
/// </param>
internal sealed record EraseObject(
    long Id,
    string Location,
    string Key,
    string? VersionId,
    bool IsGone,
    string[] Members,
    Guid[] Runs,
    bool IsFolderKnown,
    long Length
)
{
    private static readonly string Find = $"""
        SELECT o.id, o.location, o.key, o.version_id, {RemovedObjects.IsGone},
               ARRAY(SELECT m.id COLLATE "C" FROM unnest(o.members) AS m (id)
                     UNION
                     SELECT a.session_id FROM archiver.archives AS a WHERE a.object_id = o.id AND a.state <> 'erased'),
               ARRAY(SELECT o.run_id
                     UNION
                     SELECT a.run_id FROM archiver.archives AS a WHERE a.object_id = o.id AND a.state <> 'erased'),
               {KnownFolder.Sql("o.location", "o.key")}, o.length
        FROM archiver.objects AS o
        WHERE o.source = $1 AND o.state <> 'erased'
          AND (o.members && $2 OR EXISTS (SELECT FROM archiver.archives AS a WHERE a.object_id = o.id AND a.session_id = ANY ($2)
            AND a.state <> 'erased'))
        ORDER BY o.id
        """;

    public ObjectName Name => new(Key, VersionId);

    /// <summary>To remove it.</summary>
    public ObjectName Whole => Name with { IsFolderKnown = IsFolderKnown };

    /// <summary>Every object that names one of the sessions.</summary>
    public static async Task<IReadOnlyList<EraseObject>> FindAsync(
        NpgsqlConnection connection,
        string source,
        IEnumerable<string> sessions,
        CancellationToken cancellationToken
    ) =>
        await connection.QueryAsync(
            Find,
            row => new EraseObject(
                row.GetInt64(0),
                row.GetString(1),
                row.GetString(2),
                row.TextOrNull(3),
                row.GetBoolean(4),
                row.GetFieldValue<string[]>(5),
                row.GetFieldValue<Guid[]>(6),
                row.GetBoolean(7),
                row.GetInt64(8)
            ),
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Texts(sessions)
        );
}

using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Npgsql;

namespace Archiver.Core.Reconciliation;

/// <summary>What a move of the bucket reads in the ledger and writes there.</summary>
internal static class MoveRecords
{
    private const string Elsewhere = """
        SELECT o.location, o.location = $2, count(*)
        FROM archiver.objects AS o
        WHERE o.source = $1 AND o.state = 'stored' AND NOT (o.location = $2 AND starts_with(o.key, $3))
        GROUP BY o.location
        ORDER BY o.location
        """;

    private const string Objects = $"""
        SELECT o.id, o.key, o.state, o.length, o.sha256
        FROM archiver.objects AS o
        WHERE o.source = $1 AND o.location = $2 AND starts_with(o.key, $3)
          AND o.state IN ('pending', 'stored', 'abandoned') AND {RemovedObjects.IsNot}
        ORDER BY o.id
        """;

    // An earlier version adopted moved objects as unrecorded ones: rows of the same object that no archive names.
    private const string DropDoubles = """
        DELETE FROM archiver.objects AS o
        USING unnest($2, $3) AS n (key, sha256)
        WHERE o.location = $1 AND o.key = n.key AND o.sha256 = n.sha256
          AND NOT EXISTS (SELECT FROM archiver.archives AS a WHERE a.object_id = o.id)
        """;

    private const string Rewrite = """
        UPDATE archiver.objects AS o
        SET location = $1, key = n.key, version_id = n.version_id
        FROM unnest($2, $3, $4) AS n (id, key, version_id)
        WHERE o.id = n.id AND o.state IN ('pending', 'stored', 'abandoned')
        """;

    /// <summary>Stored objects of a source that are not under its configured place and prefix, counted by place.</summary>
    public static async Task<IReadOnlyDictionary<string, long>> ElsewhereAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        string location,
        CancellationToken cancellationToken
    ) =>
        (
            await connection.QueryAsync(
                Elsewhere,
                row => (Place: row.GetString(0), IsHere: row.GetBoolean(1), Count: row.GetInt64(2)),
                cancellationToken,
                PgParameter.Text(source.Name),
                PgParameter.Text(location),
                PgParameter.Text($"{source.Prefix}/")
            )
        ).ToDictionary(e => e.IsHere ? $"{e.Place} outside {source.Prefix}/" : e.Place, e => e.Count, StringComparer.Ordinal);

    /// <summary>
    /// The places, as the ledger writes them, where a source has objects that are not under its configured place and prefix.
    /// </summary>
    public static async Task<IEnumerable<string>> PlacesAsync(
        NpgsqlConnection connection,
        SourceSettings source,
        string location,
        CancellationToken cancellationToken
    ) =>
        await connection.QueryAsync(
            Elsewhere,
            row => row.GetString(0),
            cancellationToken,
            PgParameter.Text(source.Name),
            PgParameter.Text(location),
            PgParameter.Text($"{source.Prefix}/")
        );

    /// <summary>Every object of a source at a place and prefix that is not known to be gone.</summary>
    public static Task<List<MovedObject>> FindAsync(
        NpgsqlConnection connection,
        string source,
        string location,
        string prefix,
        CancellationToken cancellationToken
    ) =>
        connection.QueryAsync(
            Objects,
            row => new MovedObject(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetFieldValue<byte[]>(4)),
            cancellationToken,
            PgParameter.Text(source),
            PgParameter.Text(location),
            PgParameter.Text($"{prefix}/")
        );

    /// <summary>Points the ledger to the new places; returns how many rows that changed. Part of the caller's transaction.</summary>
    public static async Task<int> WriteAsync(
        NpgsqlConnection connection,
        string location,
        IReadOnlyList<MovedObject> moved,
        CancellationToken cancellationToken
    )
    {
        await connection.ExecuteAsync(
            DropDoubles,
            cancellationToken,
            PgParameter.Text(location),
            PgParameter.Texts(moved.Select(m => m.New!.Key)),
            PgParameter.BytesArray(moved.Select(m => m.Sha256))
        );
        return await connection.ExecuteAsync(
            Rewrite,
            cancellationToken,
            PgParameter.Text(location),
            PgParameter.Bigints(moved.Select(m => m.Id)),
            PgParameter.Texts(moved.Select(m => m.New!.Key)),
            PgParameter.Texts(moved.Select(m => m.New!.VersionId))
        );
    }
}

using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using Amazon.S3;
using Amazon.S3.Model;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Testing.Proof;

/// <summary>
/// Reads what the ledger says is archived from the bucket, with none of the product's own reading code, and turns it into rows by
/// PostgreSQL's own input functions. What was read once is not read again: an object never changes.
/// </summary>
internal sealed class StoredDocuments(TestBucket bucket, IReadOnlyList<ShadowTable> tables)
{
    private const string Unread = """
        SELECT a.id, o.key, o.version_id, a.byte_offset, a.byte_length, a.json_sha256, o.id
        FROM archiver.archives AS a JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.state IN ('archived', 'stored', 'restored', 'superseded') AND o.state = 'stored' AND o.removal_began_at IS NULL
          AND NOT EXISTS (SELECT FROM shadow.read AS r WHERE r.archive = a.id AND r.object = o.id)
        """;

    // A discard says beforehand what it removes. An erasure does by its tombstones, which are in the bucket: while the last one is not
    // done, its objects may be gone.
    private const string Needed = """
        SELECT DISTINCT o.key
        FROM archiver.archives AS a JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.state IN ('archived', 'stored') AND o.removal_began_at IS NULL
          AND coalesce((SELECT r.state = 'done' FROM archiver.runs AS r WHERE r.action = 'erase' ORDER BY r.started_at DESC LIMIT 1), true)
        """;

    private const string Destroyed = """
        SELECT DISTINCT r.key FROM shadow.read AS r JOIN archiver.archives AS a ON a.id = r.archive WHERE a.state IN ('discarded', 'erased')
        """;

    /// <summary>Loads what is new into shadow.documents; returns what cannot be read as the ledger says.</summary>
    public async Task<IReadOnlyList<string>> LoadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        List<string> broken = [];
        var unread = await connection.QueryAsync(
            Unread,
            row => new Stored(
                row.GetInt64(0),
                row.GetString(1),
                row.TextOrNull(2),
                row.GetInt64(3),
                row.GetInt64(4),
                row.GetFieldValue<byte[]>(5),
                row.GetInt64(6)
            ),
            cancellationToken
        );
        await connection.ExecuteAsync(
            "DELETE FROM shadow.documents AS d WHERE d.archive = ANY ($1)",
            cancellationToken,
            PgParameter.Bigints(unread.Select(a => a.Id))
        );
        Dictionary<string, List<(long Archive, string Row)>> rows = tables.ToDictionary(t => t.Name, _ => new List<(long, string)>());
        foreach (var archive in unread)
        {
            if (await ReadAsync(archive, cancellationToken) is { } document)
                Collect(archive.Id, document, rows);
            else
                broken.Add($"the object {archive.Key} of archive {archive.Id} is not what the ledger says");
        }
        foreach (var table in tables)
            await InsertAsync(connection, table, rows[table.Name], cancellationToken);
        await connection.ExecuteAsync(
            "INSERT INTO shadow.read SELECT * FROM unnest($1, $2, $3) ON CONFLICT (archive) DO UPDATE SET object = excluded.object, key = "
                + "excluded.key",
            cancellationToken,
            PgParameter.Bigints(unread.Select(a => a.Id)),
            PgParameter.Bigints(unread.Select(a => a.Object)),
            PgParameter.Texts(unread.Select(a => a.Key))
        );
        return broken;
    }

    /// <summary>Keys of objects that somebody's only copy is in and that the bucket does not have.</summary>
    /// <param name="connection">The ledger's.</param>
    /// <param name="listed">What was in the bucket a moment before.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<List<string>> MissingAsync(
        NpgsqlConnection connection,
        IReadOnlySet<string> listed,
        CancellationToken cancellationToken
    )
    {
        List<string> missing = [];
        foreach (
            var key in (await connection.QueryAsync(Needed, row => row.GetString(0), cancellationToken)).Where(k => !listed.Contains(k))
        )
        {
            if (!(await bucket.ListKeysAsync(key, cancellationToken)).Contains(key))
                missing.Add(key);
        }
        return missing;
    }

    /// <summary>Keys of objects that were destroyed, as the ledger says, and of which the bucket has a version.</summary>
    public async Task<List<string>> LeftAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var destroyed = (await connection.QueryAsync(Destroyed, row => row.GetString(0), cancellationToken)).ToHashSet(
            StringComparer.Ordinal
        );
        List<string> left = [];
        if (destroyed.Count == 0)
            return left;
        await foreach (
            var version in bucket
                .Client.Paginators.ListVersions(new ListVersionsRequest { BucketName = bucket.Name })
                .Versions.WithCancellation(cancellationToken)
        )
        {
            if (destroyed.Contains(version.Key))
                left.Add(version.Key);
        }
        return left;
    }

    private async Task<JsonDocument?> ReadAsync(Stored archive, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await bucket.Client.GetObjectAsync(
                new GetObjectRequest
                {
                    BucketName = bucket.Name,
                    Key = archive.Key,
                    VersionId = archive.Version,
                    ByteRange = new ByteRange(archive.Offset, archive.Offset + archive.Length - 1),
                },
                cancellationToken
            );
            await using var gzip = new GZipStream(answer.ResponseStream, CompressionMode.Decompress);
            using var json = new MemoryStream();
            await gzip.CopyToAsync(json, cancellationToken);
            return SHA256.HashData(json.ToArray()).AsSpan().SequenceEqual(archive.Sha256) ? JsonDocument.Parse(json.ToArray()) : null;
        }
        catch (Exception e)
            when (e is AmazonS3Exception { StatusCode: System.Net.HttpStatusCode.NotFound } or InvalidDataException or JsonException)
        {
            return null;
        }
    }

    private static void Collect(long archive, JsonDocument document, Dictionary<string, List<(long Archive, string Row)>> rows)
    {
        using var _ = document;
        var root = document.RootElement;
        rows["session"].Add((archive, root.GetProperty("session").GetRawText()));
        foreach (var name in rows.Keys.Where(n => n != "session"))
        {
            var found =
                name == "messages" ? root.TryGetProperty(name, out var list) : root.GetProperty("related").TryGetProperty(name, out list);
            if (found)
                rows[name].AddRange(list.EnumerateArray().Select(row => (archive, row.GetRawText())));
        }
    }

    private static async Task InsertAsync(
        NpgsqlConnection connection,
        ShadowTable table,
        List<(long Archive, string Row)> rows,
        CancellationToken cancellationToken
    )
    {
        if (rows.Count == 0)
            return;
        var columns = await connection.ScalarAsync<string>(ShadowSchema.Columns, cancellationToken, PgParameter.Text(table.Table));
        await connection.ExecuteAsync(
            $"""
            INSERT INTO shadow.documents
            SELECT n.archive, '{table.Name}', d ->> '{table.Key}', ROW({columns})::text
            FROM unnest($1, $2) AS n (archive, document) CROSS JOIN LATERAL (SELECT n.document::json AS d) AS x
            """,
            cancellationToken,
            PgParameter.Bigints(rows.Select(r => r.Archive)),
            PgParameter.Texts(rows.Select(r => r.Row))
        );
    }

    private sealed record Stored(long Id, string Key, string? Version, long Offset, long Length, byte[] Sha256, long Object);
}

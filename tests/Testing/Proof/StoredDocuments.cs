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
        SELECT a.id, o.key, o.version_id, a.byte_offset, a.byte_length, a.json_sha256
        FROM archiver.archives AS a JOIN archiver.objects AS o ON o.id = a.object_id
        WHERE a.state IN ('archived', 'restored') AND NOT EXISTS (SELECT FROM shadow.read AS r WHERE r.archive = a.id)
        """;

    /// <summary>Loads what is new into shadow.documents; returns what cannot be read as the ledger says.</summary>
    public async Task<IReadOnlyList<string>> LoadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        List<string> broken = [];
        var unread = await connection.QueryAsync(
            Unread, row => new Stored(row.GetInt64(0), row.GetString(1), row.TextOrNull(2), row.GetInt64(3), row.GetInt64(4), row.GetFieldValue<byte[]>(5)), cancellationToken);
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
        await connection.ExecuteAsync("INSERT INTO shadow.read SELECT unnest($1)", cancellationToken, PgParameter.Bigints(unread.Select(a => a.Id)));
        return broken;
    }

    private async Task<JsonDocument?> ReadAsync(Stored archive, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await bucket.Client.GetObjectAsync(
                new GetObjectRequest { BucketName = bucket.Name, Key = archive.Key, VersionId = archive.Version, ByteRange = new ByteRange(archive.Offset, archive.Offset + archive.Length - 1) }, cancellationToken);
            await using var gzip = new GZipStream(answer.ResponseStream, CompressionMode.Decompress);
            using var json = new MemoryStream();
            await gzip.CopyToAsync(json, cancellationToken);
            return SHA256.HashData(json.ToArray()).AsSpan().SequenceEqual(archive.Sha256) ? JsonDocument.Parse(json.ToArray()) : null;
        }
        catch (Exception e) when (e is AmazonS3Exception { StatusCode: System.Net.HttpStatusCode.NotFound } or InvalidDataException or JsonException)
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
            var found = name == "messages" ? root.TryGetProperty(name, out var list) : root.GetProperty("related").TryGetProperty(name, out list);
            if (found)
                rows[name].AddRange(list.EnumerateArray().Select(row => (archive, row.GetRawText())));
        }
    }

    private static async Task InsertAsync(
        NpgsqlConnection connection, ShadowTable table, List<(long Archive, string Row)> rows, CancellationToken cancellationToken)
    {
        if (rows.Count == 0)
            return;
        var columns = await connection.ScalarAsync<string>(ShadowSchema.Columns, cancellationToken, PgParameter.Text(table.Table));
        await connection.ExecuteAsync(
            $"""
            INSERT INTO shadow.documents
            SELECT n.archive, '{table.Name}', d ->> '{table.Key}', ROW({columns})::text
            FROM unnest($1, $2) AS n (archive, document) CROSS JOIN LATERAL (SELECT n.document::jsonb AS d) AS x
            """, cancellationToken, PgParameter.Bigints(rows.Select(r => r.Archive)), PgParameter.Texts(rows.Select(r => r.Row)));
    }

    private sealed record Stored(long Id, string Key, string? Version, long Offset, long Length, byte[] Sha256);
}

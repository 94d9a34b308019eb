using System.IO.Compression;
using System.Text;
using Npgsql;

namespace Archiver.Bench;

/// <summary>Sessions as a plain script reads them: one query a session, JSON made by the server, gzip level 6.</summary>
internal static class SessionDocuments
{
    private const string Oldest =
        "SELECT session_id FROM public.chat_sessions WHERE last_activity < now() - interval '90 days' ORDER BY last_activity LIMIT $1";

    private const string Document = """
        SELECT json_build_object('session', to_json(s), 'messages', (
                 SELECT json_agg(m ORDER BY m.timestamp, m.id) FROM public.chat_messages AS m WHERE m.session_id = s.session_id))::text
        FROM public.chat_sessions AS s
        WHERE s.session_id = $1
        """;

    public static async Task<List<Guid>> OldestAsync(NpgsqlConnection connection, int count, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Oldest, connection) { Parameters = { new() { Value = count } } };
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<Guid> ids = [];
        while (await reader.ReadAsync(cancellationToken))
            ids.Add(reader.GetGuid(0));
        return ids;
    }

    public static async Task<byte[]> ReadAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Document, connection) { Parameters = { new() { Value = id } } };
        var json = (string)(await command.ExecuteScalarAsync(cancellationToken))!;
        using var bytes = new MemoryStream();
        await using (var gzip = new GZipStream(bytes, CompressionLevel.Optimal, leaveOpen: true))
            await gzip.WriteAsync(Encoding.UTF8.GetBytes(json), cancellationToken);
        return bytes.ToArray();
    }
}

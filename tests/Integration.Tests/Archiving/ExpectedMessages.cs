using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>What a session's document must hold, read from the rows before the run.</summary>
internal sealed record ExpectedSession(string Month, List<(long Id, string Content)> Messages);

internal static class ExpectedMessages
{
    public static async Task<Dictionary<string, ExpectedSession>> ReadAsync(
        TestDatabase database,
        string condition,
        CancellationToken cancellationToken
    )
    {
        var sessions = new Dictionary<string, ExpectedSession>();
        await using var command = database.DataSource.CreateCommand(
            $"""
            SELECT s.session_id::text, to_char(s.created_at AT TIME ZONE 'UTC', 'YYYY/MM'), m.id, m.content
            FROM chat_sessions s LEFT JOIN chat_messages m USING (session_id)
            WHERE {condition} ORDER BY s.session_id, m.timestamp, m.id
            """
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var key = reader.GetString(0);
            if (!sessions.TryGetValue(key, out var session))
                sessions.Add(key, session = new(reader.GetString(1), []));
            if (!await reader.IsDBNullAsync(2, cancellationToken))
                session.Messages.Add((reader.GetInt64(2), reader.GetString(3)));
        }
        return sessions;
    }
}

using Archiver.Testing;

namespace Archiver.Integration.Tests.Proof;

/// <summary>What users do to their sessions in the model's sequences, in the tables and in the model.</summary>
internal sealed class ModelUser(ArchiverFixture archiver, ChatModel model, Random random)
{
    /// <summary>A session with some messages.</summary>
    public async Task BeginAsync()
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        var session = new ModelSession(new Guid(bytes).ToString())
        {
            Days = new[] { 10, 100, 130 }[random.Next(3)],
            User = new[] { "ann", "ben" }[random.Next(2)],
        };
        model.Steps.Add($"begin {session.Key[..4]}, {session.Days} d");
        await archiver.ExecuteAsync(
            "INSERT INTO chat_sessions (session_id, user_id, created_at, last_activity) VALUES ($1, "
                + $"'{session.User}', now() - interval '1 year', now() - interval '{session.Days} days')",
            session.Key
        );
        for (var messages = random.Next(3); messages > 0; messages--)
        {
            session.Messages.Add(model.NextMessage, "first");
            await archiver.ExecuteAsync(
                "INSERT INTO chat_messages (id, session_id, role, content, timestamp) VALUES "
                    + $"({model.NextMessage++}, $1, 'user', 'first', now() - interval '{session.Days} days')",
                session.Key
            );
        }
        model.Sessions.Add(session.Key, session);
    }

    /// <summary>A message more.</summary>
    public async Task WriteAsync(ModelSession session)
    {
        model.Steps.Add($"message in {session.Key[..4]}");
        session.Messages.Add(model.NextMessage, "new");
        await archiver.ExecuteAsync(
            "INSERT INTO chat_messages (id, session_id, role, content, timestamp) VALUES "
                + $"({model.NextMessage++}, $1, 'user', 'new', now() - interval '{session.Days} days')",
            session.Key
        );
    }

    /// <summary>A message that is edited.</summary>
    public async Task EditAsync(ModelSession session)
    {
        var edited = session.Messages.Keys.ElementAt(random.Next(session.Messages.Count));
        model.Steps.Add($"edit {edited}");
        session.Messages[edited] += "+";
        await archiver.ExecuteAsync($"UPDATE chat_messages SET content = content || '+' WHERE id = {edited}", null);
    }

    /// <summary>The first message goes.</summary>
    public async Task DeleteMessageAsync(ModelSession session)
    {
        var deleted = session.Messages.Keys.First();
        model.Steps.Add($"delete message {deleted}");
        session.Messages.Remove(deleted);
        await archiver.ExecuteAsync($"DELETE FROM chat_messages WHERE id = {deleted}", null);
    }

    /// <summary>The session goes with its messages.</summary>
    public async Task DeleteAsync(ModelSession session)
    {
        model.Steps.Add($"delete {session.Key[..4]}");
        model.Sessions.Remove(session.Key);
        await archiver.ExecuteAsync(
            "WITH m AS (DELETE FROM chat_messages WHERE session_id = $1) DELETE FROM chat_sessions WHERE session_id = $1",
            session.Key
        );
    }

    /// <summary>The session was used now, or long ago.</summary>
    public async Task UseAsync(ModelSession session)
    {
        session.Days = session.Days == 0 ? 130 : 0;
        model.Steps.Add($"{session.Key[..4]} was used {session.Days} d ago");
        await archiver.ExecuteAsync(
            $"UPDATE chat_sessions SET last_activity = now() - interval '{session.Days} days' WHERE session_id = $1",
            session.Key
        );
        await archiver.ExecuteAsync(
            $"UPDATE chat_messages SET timestamp = now() - interval '{session.Days} days' WHERE session_id = $1",
            session.Key
        );
    }
}

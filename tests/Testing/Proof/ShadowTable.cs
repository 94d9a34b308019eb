namespace Archiver.Testing.Proof;

/// <summary>A table under watch.</summary>
/// <param name="Name">Its name in a document: <c>session</c>, <c>messages</c>, or one under <c>related</c>.</param>
/// <param name="Table">Schema and table as SQL.</param>
/// <param name="Key">Its key column.</param>
/// <param name="Session">The column with its session's key; null where the way there is longer.</param>
/// <param name="First">The column with a time at which its session lived.</param>
/// <param name="Last">The same, not before that one.</param>
public sealed record ShadowTable(string Name, string Table, string Key, string? Session = null, string? First = null, string? Last = null)
{
    /// <summary>The tables of the preset <c>ended-at</c>.</summary>
    public static IReadOnlyList<ShadowTable> EndedAt { get; } =
    [
        new("session", "public.chat_sessions", "session_id", "session_id", "created_at", "last_activity"),
        new("messages", "public.chat_messages", "id", "session_id", "timestamp", "timestamp"),
    ];

    /// <summary>The tables of the preset <c>soft-delete</c>.</summary>
    public static IReadOnlyList<ShadowTable> SoftDelete { get; } = Chat("chat_sessions", "id", "chat_messages");

    /// <summary>The tables of the preset <c>status-expiry</c>.</summary>
    public static IReadOnlyList<ShadowTable> StatusExpiry { get; } = Chat("sessions", "id", "messages");

    private static ShadowTable[] Chat(string sessions, string key, string messages) =>
        [new("session", $"public.{sessions}", key, key), new("messages", $"public.{messages}", "id", "session_id")];
}

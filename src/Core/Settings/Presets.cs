namespace Archiver.Core.Settings;

/// <summary>Ready mappings of known application schemas; <c>sql/schemas/&lt;preset&gt;.sql</c> creates each of them.</summary>
internal static class Presets
{
    /// <summary>Every preset by its name.</summary>
    public static IReadOnlyDictionary<string, SourceMap> All { get; } = new Dictionary<string, SourceMap>(StringComparer.OrdinalIgnoreCase)
    {
        ["ended-at"] = EndedAt(),
        ["last-accessed"] = LastAccessed(),
        ["status-expiry"] = StatusExpiry(),
        ["soft-delete"] = SoftDelete(),
    };

    private static SourceMap EndedAt() => new(
        new()
        {
            Table = Public("chat_sessions"),
            Key = "session_id",
            Activity = ["last_activity"],
            User = "user_id",
            Created = "created_at",
            Ended = "ended_at",
            Archived = "archived",
            ArchiveLocation = "archive_location",
        },
        [Messages("chat_messages", parentKey: "session_id", order: ["timestamp", "id"], time: "timestamp")]);

    private static SourceMap LastAccessed() => new(
        new()
        {
            Table = Public("sessions"),
            Key = "id",
            Activity = ["last_accessed", "updated_at"],
            User = "user_id",
            Created = "created_at",
            Expires = "expires_at",
        },
        [Messages("messages", parentKey: "id", order: ["created_at", "id"], time: "created_at")]);

    // Messages point to the uuid key; session_id is the text by which the application knows a session.
    private static SourceMap StatusExpiry() => new(
        new()
        {
            Table = Public("sessions"),
            Key = "id",
            ExternalId = "session_id",
            Activity = ["updated_at"],
            User = "user_id",
            Created = "created_at",
            Expires = "expires_at",
            Status = "status",
        },
        [Messages("messages", parentKey: "id", order: ["created_at", "id"], time: "created_at")]);

    private static SourceMap SoftDelete() => new(
        new()
        {
            Table = Public("chat_sessions"),
            Key = "id",
            Activity = ["last_activity"],
            User = "user_id",
            Created = "created_at",
            Deleted = "deleted_at",
        },
        [
            Messages("chat_messages", parentKey: "id", order: ["sequence", "timestamp", "id"], time: "timestamp") with
            {
                Deleted = "deleted_at",
            },
        ]);

    private static ChildTable Messages(string table, string parentKey, IReadOnlyList<string> order, TimeColumn time) => new()
    {
        Name = SourceMap.MessagesName,
        Table = Public(table),
        ForeignKey = "session_id",
        ParentKey = parentKey,
        Key = "id",
        Order = order,
        Time = time,
    };

    private static TableName Public(string table) => new(TableName.DefaultSchema, table);
}

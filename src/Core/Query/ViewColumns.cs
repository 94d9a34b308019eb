namespace Archiver.Core.Query;

/// <summary>The ledger's columns in the views, by their names.</summary>
internal static class ViewColumns
{
    public const string Source = "source",
        Policy = "policy",
        SessionId = "session_id",
        ExternalId = "external_id",
        Generation = "generation",
        State = "state",
        UserId = "user_id",
        Created = "session_created_at",
        LastActivity = "session_last_activity",
        Messages = "message_count",
        ExportedAt = "exported_at",
        ArchivedAt = "archived_at",
        Object = "object";

    /// <summary>What the name of a column of a row gets before it where the ledger's has that name.</summary>
    public const string OfRow = "row_";

    /// <summary>Of the view <c>sessions</c>, before the columns of the session's row.</summary>
    public static IReadOnlyList<ViewColumn> Sessions { get; } =
    [
        new(Source, ColumnType.Text, null),
        new(Policy, ColumnType.Text, null),
        new(SessionId, ColumnType.Text, null),
        new(ExternalId, ColumnType.Text, null),
        new(Generation, ColumnType.Integer, null),
        new(State, ColumnType.Text, null),
        new(UserId, ColumnType.Text, null),
        new(Created, ColumnType.TimestampTz, null),
        new(LastActivity, ColumnType.TimestampTz, null),
        new(Messages, ColumnType.Bigint, null),
        new(ExportedAt, ColumnType.TimestampTz, null),
        new(ArchivedAt, ColumnType.TimestampTz, null),
        new(Object, ColumnType.Text, null),
    ];

    /// <summary>Of each child's view, before the columns of its rows.</summary>
    public static IReadOnlyList<ViewColumn> Children { get; } =
    [.. Sessions.Where(c => c.Name is Source or SessionId or Generation or ArchivedAt or Object)];
}

/// <summary>A column of a view.</summary>
/// <param name="Name">As the view calls it.</param>
/// <param name="Type">Its type there.</param>
/// <param name="Row">Name of the row's column; null for one of the ledger's.</param>
internal sealed record ViewColumn(string Name, ColumnType Type, string? Row);

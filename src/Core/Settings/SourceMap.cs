namespace Archiver.Core.Settings;

/// <summary>The tree of tables that makes a session: one session table and its descendants.</summary>
/// <param name="Session">The session table.</param>
/// <param name="Children">Every descendant, parents before their children.</param>
public sealed record SourceMap(SessionTable Session, IReadOnlyList<ChildTable> Children)
{
    /// <summary>Name by which children and messages refer to the session table.</summary>
    public const string SessionName = "session";

    /// <summary>Name of the child whose rows are the document's <c>messages</c>.</summary>
    public const string MessagesName = "messages";

    /// <summary>
    /// What of it the database may lack, as paths: <c>Session:User</c>, <c>Session:Activity:last_accessed</c>, <c>Children:votes</c>.
    /// </summary>
    public IReadOnlyList<string> Optional { get; init; } = [];
}

/// <summary>The session table and the roles of its columns. Column names are exact, as the catalog has them.</summary>
public sealed record SessionTable
{
    /// <summary>Where <see cref="From"/> is given, that child's table.</summary>
    public required TableName Table { get; init; }

    /// <summary>
    /// Name of the child whose rows make the sessions where these have no row of their own: a session is every key that occurs in it.
    /// </summary>
    public string? From { get; init; }

    /// <summary>Whether a session has a row of its own.</summary>
    public bool HasRow => From is null;

    /// <summary>What stands for the sessions behind a FROM, to be given an alias: the table, or the keys that occur.</summary>
    public string Sql => From is null ? Table.Sql : $"(SELECT DISTINCT r.{Key.Sql} FROM {Table.Sql} AS r WHERE r.{Key.Sql} IS NOT NULL)";

    /// <summary>Key that names one session; of one without a row a single column.</summary>
    public required KeyColumns Key { get; init; }

    /// <summary>Unique text column by which applications know the session.</summary>
    public string? ExternalId { get; init; }

    /// <summary>Times that must all be set and old; the first one orders the selection.</summary>
    public required IReadOnlyList<TimeColumn> Activity { get; init; }

    public string? User { get; init; }

    public TimeColumn? Created { get; init; }

    /// <summary>When set, it must be old as well.</summary>
    public TimeColumn? Ended { get; init; }

    public TimeColumn? Deleted { get; init; }

    public TimeColumn? Expires { get; init; }

    public string? Status { get; init; }

    public string? Archived { get; init; }

    public string? ArchiveLocation { get; init; }
}

/// <summary>A table below the session table.</summary>
public sealed record ChildTable
{
    /// <summary>Name in documents and messages, such as <c>messages</c>.</summary>
    public required string Name { get; init; }

    public required TableName Table { get; init; }

    /// <summary><see cref="SourceMap.SessionName"/> or the <see cref="Name"/> of another child.</summary>
    public string Parent { get; init; } = SourceMap.SessionName;

    /// <summary>Columns of this table that point to the parent's <see cref="ParentKey"/>, in its order.</summary>
    public required KeyColumns ForeignKey { get; init; }

    public required KeyColumns ParentKey { get; init; }

    /// <summary>
    /// Type to which <see cref="ParentKey"/> is cast where <see cref="ForeignKey"/> is of another, such as text that holds a uuid; else
    /// null.
    /// </summary>
    public string? Cast { get; init; }

    /// <summary>
    /// Only rows with these values in these columns, as text, belong to the parent: of a table whose rows point to rows of several tables,
    /// and say so in a column. The others are not touched.
    /// </summary>
    public IReadOnlyDictionary<string, string> Where { get; init; } = EveryRow;

    private static readonly Dictionary<string, string> EveryRow = [];

    /// <summary>What stands for its rows behind a FROM, to be given an alias: the table, or what a query has made of it.</summary>
    public string Sql => Derived ?? Table.Sql;

    /// <summary>
    /// A query in parentheses with every column of the table and <c>tableoid</c>, <c>ctid</c> and <c>xmin</c>; null for the table itself.
    /// </summary>
    internal string? Derived { get; init; }

    /// <summary>Its key, if the table has one.</summary>
    public KeyColumns? Key { get; init; }

    /// <summary>Columns that order the rows of one session in the document.</summary>
    public required IReadOnlyList<string> Order { get; init; }

    /// <summary>Time of a row; a session with a young row is active.</summary>
    public TimeColumn? Time { get; init; }

    public TimeColumn? Deleted { get; init; }
}

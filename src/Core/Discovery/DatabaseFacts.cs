using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Discovery;

/// <summary>What the catalogs say of a database that nobody has described yet.</summary>
internal sealed record DatabaseFacts
{
    public required string Database { get; init; }

    /// <summary>The connection's role.</summary>
    public required string Role { get; init; }

    public required bool IsSuperuser { get; init; }

    /// <summary>A ledger is there: the database has been archived from before.</summary>
    public required bool HasLedger { get; init; }

    /// <summary>
    /// Every table of the applications, partitions as part of theirs; those of extensions and of the archiver are left out.
    /// </summary>
    public required IReadOnlyList<FoundTable> Tables { get; init; }

    public required IReadOnlyList<FoundKey> Keys { get; init; }

    /// <summary>What samples of values said; empty before any was taken.</summary>
    public IReadOnlyDictionary<(TableName Table, string Column), ValueSample> Values { get; init; } =
        new Dictionary<(TableName, string), ValueSample>();

    /// <summary>Whether values of a column are found in another, where no foreign key says so; what was not looked at is absent.</summary>
    public IReadOnlyDictionary<FoundLink, bool> Matches { get; init; } = new Dictionary<FoundLink, bool>();

    public FoundTable? Table(TableName name) => Tables.FirstOrDefault(t => t.Table == name);
}

/// <summary>A table as the catalogs describe it.</summary>
internal sealed record FoundTable
{
    public required uint Oid { get; init; }

    public required TableName Table { get; init; }

    /// <summary>The server's own estimate with those of its partitions; null where it has none yet.</summary>
    public required long? Rows { get; init; }

    /// <summary>Of the table, its partitions and TOAST, as of the last VACUUM or ANALYZE.</summary>
    public required long Bytes { get; init; }

    /// <summary>The role may read it, and sees all rows.</summary>
    public required bool Readable { get; init; }

    /// <summary>Row level security is on.</summary>
    public required bool RowSecurity { get; init; }

    public required IReadOnlyList<FoundColumn> Columns { get; init; }

    /// <summary>Columns of each unique index that holds at every moment and for every row, the primary key first.</summary>
    public required IReadOnlyList<IReadOnlyList<string>> Unique { get; init; }

    /// <summary>The first of <see cref="Unique"/> is the primary key.</summary>
    public required bool HasPrimaryKey { get; init; }

    /// <summary>Sequences from which its columns take values.</summary>
    public required IReadOnlyList<TableName> Sequences { get; init; }

    public IReadOnlyList<string> PrimaryKey => HasPrimaryKey ? Unique[0] : [];

    public FoundColumn? Column(string name) => Columns.FirstOrDefault(c => c.Name == name);

    /// <summary>Whether at most one row has a value in the column.</summary>
    public bool IsUnique(string column) => Unique.Any(u => u is [var only] && only == column);

    /// <summary>Whether no column of a key may be NULL.</summary>
    public bool NeverNull(IEnumerable<string> key) => key.All(c => Column(c)?.NotNull == true);
}

/// <summary>A column.</summary>
/// <param name="Type">As <c>format_type</c> writes it.</param>
/// <param name="BaseType">Without modifiers, domains resolved.</param>
internal sealed record FoundColumn(string Name, string Type, string BaseType, bool NotNull)
{
    /// <summary>The types that its values compare with.</summary>
    public string Family => KeyMatch.Family(BaseType);

    public bool IsTime => BaseType is "timestamp with time zone" or "timestamp without time zone" or "date";

    public bool IsNumber => BaseType is "smallint" or "integer" or "bigint" or "numeric" or "real" or "double precision";

    public bool IsText => BaseType is "text" or "character varying" or "character";

    public bool IsJson => BaseType is "json" or "jsonb";
}

/// <summary>A foreign key as it was declared.</summary>
/// <param name="OnDelete">As <c>pg_constraint.confdeltype</c>.</param>
internal sealed record FoundKey(
    string Name,
    TableName From,
    IReadOnlyList<string> Columns,
    TableName To,
    IReadOnlyList<string> ToColumns,
    char OnDelete
);

/// <summary>That a column points to another, by a foreign key or as its name says; or several together, by a foreign key.</summary>
internal sealed record FoundLink(TableName From, KeyColumns Column, TableName To, KeyColumns ToColumn);

/// <summary>What some of the first rows of a table say of one column. Counts only: no value leaves the server.</summary>
/// <param name="Rows">Rows that were looked at.</param>
/// <param name="Set">Those with a value that is neither NULL nor 0 nor empty.</param>
/// <param name="Seconds">Those with a number of seconds since 1970 that lies between 2001 and 2096, and so on.</param>
/// <param name="Iso">Those whose text is a date with a time in ISO 8601.</param>
internal sealed record ValueSample(long Rows, long Set, long Seconds, long Milliseconds, long Microseconds, long Iso)
{
    /// <summary>What all of the values are; null where they are not of one kind, or there is none.</summary>
    public TimeForm? Form =>
        Set == 0 ? null
        : Seconds == Set ? TimeForm.EpochSeconds
        : Milliseconds == Set ? TimeForm.EpochMilliseconds
        : Microseconds == Set ? TimeForm.EpochMicroseconds
        : Iso == Set ? TimeForm.Text
        : null;
}

using Archiver.Core.Postgres;
using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>A column as the catalog describes it.</summary>
/// <param name="Name">Exact name.</param>
/// <param name="Type">Type with modifiers, as <c>format_type</c> writes it: <c>character varying(255)</c>.</param>
/// <param name="BaseType">Type without modifiers, domains resolved: <c>character varying</c>.</param>
/// <param name="Kind">How its values stand in a document.</param>
/// <param name="Generated">GENERATED ALWAYS AS (...) STORED: a restore leaves it to the database.</param>
internal sealed record ColumnShape(string Name, string Type, string BaseType, ColumnKind Kind, bool Generated)
{
    /// <summary>Type to cast texts to; <c>character</c> alone would be one character long.</summary>
    public string CastType => BaseType == "character" ? "bpchar" : BaseType;

    /// <summary>Its collation as SQL, where that takes different texts for equal; else null.</summary>
    public string? Nondeterministic { get; init; }
}

/// <summary>A mapped table as it is in the database now.</summary>
/// <param name="Name">Name in the map: <c>session</c>, <c>messages</c>, ...</param>
/// <param name="Table">Schema and table.</param>
/// <param name="Oid">Object id.</param>
/// <param name="Hash">Changes when columns, types, keys, triggers, rules, policies or partitions change (docs/protocol.md rule 9).</param>
/// <param name="Columns">In the table's order, dropped ones left out.</param>
internal sealed record TableShape(string Name, TableName Table, uint Oid, string Hash, IReadOnlyList<ColumnShape> Columns)
{
    /// <summary>The oid of sessions without a row: they have no table of their own.</summary>
    public const uint None = 0;

    /// <summary>The column of that exact name.</summary>
    /// <exception cref="KeyNotFoundException">There is none; inspection reports that before a run gets here.</exception>
    public ColumnShape this[string column] =>
        Columns.FirstOrDefault(c => c.Name == column) ?? throw new KeyNotFoundException($"Table {Table} has no column '{column}'.");
}

/// <summary>All mapped tables of a source as they are now; the session table first, parents before children.</summary>
internal sealed record SourceShape(IReadOnlyList<TableShape> Tables)
{
    public TableShape Session => Tables[0];

    /// <summary>Foreign keys by which rows outside a session may point into it; inspection knows them.</summary>
    public IReadOnlyList<SessionReference> References { get; init; } = [];

    /// <summary>The session's key in the row of that alias.</summary>
    public SessionKey KeyOf(SourceMap map, string alias) => KeyForm.Of(map, this).Of(alias);

    /// <summary>Type of a session's id without modifiers, to cast parameters to.</summary>
    public string KeyType(SourceMap map) => KeyForm.Of(map, this).Type;

    public TableShape this[string name] => Tables.First(t => t.Name == name);
}

using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Inspection;

/// <summary>Everything that the checks look at, read once.</summary>
internal sealed class SourceCatalog
{
    public required SourceSettings Source { get; init; }

    public required SourceShape Shape { get; init; }

    public required ServerFacts Server { get; init; }

    public required IReadOnlyList<RelationFacts> Relations { get; init; }

    public required IReadOnlyList<ColumnFacts> Columns { get; init; }

    public required IReadOnlyList<IndexFacts> Indexes { get; init; }

    public required IReadOnlyList<ForeignKeyFacts> ForeignKeys { get; init; }

    public required IReadOnlyList<TriggerFacts> Triggers { get; init; }

    public required IReadOnlyList<RuleFacts> Rules { get; init; }

    public required IReadOnlyList<HeirFacts> Heirs { get; init; }

    public required IReadOnlyList<SubscriptionFacts> Subscriptions { get; init; }

    public SourceMap Map => Source.Map;

    /// <summary>The mapped tables; sessions without a row are in none of their own.</summary>
    public IEnumerable<TableShape> Tables => Shape.Tables.Where(t => t.Oid != TableShape.None);

    /// <summary>A mapped table by its name in the map; null where it does not exist.</summary>
    public TableShape? Table(string name) => Shape.Tables.FirstOrDefault(t => t.Name == name);

    /// <summary>A column of a mapped table; null where either does not exist.</summary>
    public ColumnShape? Column(string table, string column) => Table(table)?.Columns.FirstOrDefault(c => c.Name == column);

    /// <summary>The rest of what the catalogs say of a column that exists.</summary>
    public ColumnFacts Facts(TableShape table, string column) => Columns.First(c => c.Relation == Oid(table) && c.Name == column);

    /// <summary>The relation of a mapped table itself.</summary>
    public RelationFacts Relation(TableShape table) => Relations.First(r => r.Mapped == Oid(table) && r.Depth == 0);

    /// <summary>A mapped table and all its partitions.</summary>
    public IEnumerable<RelationFacts> Tree(TableShape table) => Relations.Where(r => r.Mapped == Oid(table) && r.Depth >= 0);

    /// <summary>Whether a relation is a mapped table, a partition of it, or what it is a partition of.</summary>
    public bool IsFamily(TableShape table, uint relation) => Relations.Any(r => r.Mapped == Oid(table) && r.Oid == relation);

    /// <summary>
    /// Whether every column that ties tables together is there. Against a mapping that names what is not there, the application's own keys
    /// would look like strangers.
    /// </summary>
    public bool IsComplete => Map.Children.All(c => IsTable(c.Name, c.ForeignKey) && IsTable(c.Parent, c.ParentKey));

    /// <summary>
    /// Whether a key ties a child to its parent by the mapped columns, or by those and more: then it never reaches further than the map.
    /// </summary>
    public bool IsLink(ChildTable child, ForeignKeyFacts key) =>
        IsFamily(Table(child.Name)!, key.FromOid)
        && IsFamily(Table(child.Parent)!, key.ToOid)
        && key.Ties(child.ForeignKey, child.ParentKey);

    // Of sessions without a row: that of the rows which make them.
    private uint Oid(TableShape table) => table.Oid != TableShape.None ? table.Oid : Table(Map.Session.From!)?.Oid ?? TableShape.None;

    private bool IsTable(string table, KeyColumns columns) =>
        columns.All(c => Column(table, c) is not null) && Relation(Table(table)!).Kind is 'r' or 'p' or 'f';

    /// <summary>The indexes of one relation.</summary>
    public IEnumerable<IndexFacts> IndexesOf(uint relation) => Indexes.Where(i => i.Relation == relation);
}

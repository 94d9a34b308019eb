using Archiver.Core.Settings;

namespace Archiver.Core.Discovery;

/// <summary>How strongly a table's rows hang on those of another.</summary>
internal enum LinkKind
{
    /// <summary>A column's name may say so, and may as well say something else. Nothing is mapped by it.</summary>
    Unclear,

    /// <summary>Only the column's name says so.</summary>
    ByName,

    /// <summary>A foreign key whose column may be NULL.</summary>
    Loose,

    /// <summary>A foreign key whose column is never NULL, or by which the server deletes the rows together with the other's.</summary>
    Firm,
}

/// <summary>A way from a table's rows to those of another.</summary>
/// <param name="Key">The foreign key; null where only names say so.</param>
internal sealed record Tie(FoundLink Link, LinkKind Kind, FoundKey? Key)
{
    /// <summary>Where it is unclear, the tables that the column may mean as well; none where the other is in another schema.</summary>
    public IReadOnlyList<TableName> Others { get; init; } = [];
}

/// <summary>Finds the ways from tables to one that may be their parent: foreign keys, and columns that are named after it.</summary>
internal sealed class Links(DatabaseFacts facts)
{
    private readonly ILookup<TableName, FoundKey> _keysOnto = facts.Keys.ToLookup(k => k.To);

    private readonly NamedLinks _named = new(facts);

    /// <summary>All ways onto a table, from other tables, the firmest first.</summary>
    public IEnumerable<Tie> Onto(FoundTable parent) =>
        facts.Tables.Where(t => t.Table != parent.Table).SelectMany(t => Between(t, parent)).OrderByDescending(t => t.Kind);

    /// <summary>The ways from one table to another; by name only where no foreign key is.</summary>
    public IReadOnlyList<Tie> Between(FoundTable from, FoundTable to)
    {
        List<Tie> declared = [.. _keysOnto[to.Table].Where(k => k.From == from.Table).Select(k => Declared(from, to, k)).OfType<Tie>()];
        return declared.Count > 0 ? declared : [.. _named.Between(from.Table, to.Table)];
    }

    /// <summary>Of each column that its name alone may tie to a table, all that it may mean.</summary>
    public IEnumerable<IReadOnlyList<FoundLink>> NamedAfter(FoundTable parent) => _named.ThatMayMean(parent);

    /// <summary>The tables of its own schema that a column may mean, where nothing tells which.</summary>
    public IReadOnlyList<TableName> Unclear(FoundTable from, string column) =>
        [
            .. facts
                .Tables.SelectMany(t => _named.Between(from.Table, t.Table))
                .Where(t => t.Others.Count > 0 && t.Link.Column.Only == column)
                .Select(t => t.Link.To),
        ];

    /// <summary>Whether a row cannot be without the one that its key names.</summary>
    public static bool IsFirm(FoundTable from, FoundKey key) => key.OnDelete == 'c' || from.NeverNull(key.Columns);

    private static Tie? Declared(FoundTable from, FoundTable to, FoundKey key)
    {
        // Of a key of several columns the one that alone names a row of the parent is enough: the others never reach further. Else all of
        // them do.
        var pair = key.Columns.Zip(key.ToColumns).FirstOrDefault(p => to.IsUnique(p.Second));
        var (columns, toColumns) =
            pair == default ? (KeyColumns.Of([.. key.Columns]), KeyColumns.Of([.. key.ToColumns])) : (pair.First, pair.Second);
        if (!to.Unique.Any(u => u.All(toColumns.Contains)))
            return null;
        var firm = key.OnDelete == 'c' || from.NeverNull(columns);
        return new(new(from.Table, columns, to.Table, toColumns), firm ? LinkKind.Firm : LinkKind.Loose, key);
    }
}

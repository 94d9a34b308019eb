using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Discovery;

/// <summary>How strongly a table's rows hang on those of another.</summary>
internal enum LinkKind
{
    /// <summary>Only the column's name says so.</summary>
    ByName,

    /// <summary>A foreign key whose column may be NULL.</summary>
    Loose,

    /// <summary>A foreign key whose column is never NULL, or by which the server deletes the rows together with the other's.</summary>
    Firm,
}

/// <summary>A way from a table's rows to those of another.</summary>
/// <param name="Key">The foreign key; null where only names say so.</param>
internal sealed record Tie(FoundLink Link, LinkKind Kind, FoundKey? Key);

/// <summary>Finds the ways from tables to one that may be their parent: foreign keys, and columns that are named after it.</summary>
internal sealed class Links(DatabaseFacts facts)
{
    private readonly ILookup<TableName, FoundKey> _keysOnto = facts.Keys.ToLookup(k => k.To);

    /// <summary>All ways onto a table, from other tables, the firmest first.</summary>
    public IEnumerable<Tie> Onto(FoundTable parent) =>
        facts.Tables.Where(t => t.Table != parent.Table).SelectMany(t => Between(t, parent)).OrderByDescending(t => t.Kind);

    /// <summary>The ways from one table to another; by name only where no foreign key is.</summary>
    public IReadOnlyList<Tie> Between(FoundTable from, FoundTable to)
    {
        List<Tie> declared = [.. _keysOnto[to.Table].Where(k => k.From == from.Table).Select(k => Declared(from, to, k)).OfType<Tie>()];
        return declared.Count > 0 ? declared : [.. from.Columns.Select(c => ByName(from, c, to)).OfType<Tie>()];
    }

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

    private Tie? ByName(FoundTable from, FoundColumn column, FoundTable to)
    {
        if (!PointingNames.Of(to.Table, to.PrimaryKey is [var id] ? id : null).Contains(Words.Plain(column.Name)))
            return null;
        // A key of its own names its own rows; one that is declared leads elsewhere.
        if (from.IsUnique(column.Name) || facts.Keys.Any(k => k.From == from.Table && k.Columns.Contains(column.Name)))
            return null;
        // Of several columns that it may mean the one of its own name, else the primary key; values tell where there are any.
        var meant = to
            .Columns.Where(c => to.IsUnique(c.Name) && c.Family == column.Family)
            .OrderByDescending(c => Words.Plain(c.Name) == Words.Plain(column.Name))
            .ThenByDescending(c => to.PrimaryKey is [var key] && key == c.Name)
            .Select(c => new FoundLink(from.Table, column.Name, to.Table, c.Name))
            .OrderByDescending(l => facts.Matches.GetValueOrDefault(l))
            .FirstOrDefault(l => facts.Matches.GetValueOrDefault(l, true));
        return meant is null ? null : new(meant, LinkKind.ByName, null);
    }
}

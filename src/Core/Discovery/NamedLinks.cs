using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Discovery;

/// <summary>
/// What columns mean that are named after a table and have no foreign key. Each means one table at most: a number that counts up is found
/// among the keys of every table, so that values alone cannot tell two of them apart.
/// </summary>
internal sealed class NamedLinks
{
    private readonly DatabaseFacts _facts;

    private readonly ILookup<string, FoundTable> _named;

    private readonly HashSet<(TableName Table, string Column)> _declared;

    private readonly Lazy<ILookup<(TableName From, TableName To), Tie>> _ties;

    public NamedLinks(DatabaseFacts facts)
    {
        _facts = facts;
        _named = facts
            .Tables.SelectMany(t => PointingNames.Of(t.Table, t.PrimaryKey is [var id] ? id : null).Select(n => (Name: n, Table: t)))
            .ToLookup(n => n.Name, n => n.Table, StringComparer.Ordinal);
        _declared = [.. facts.Keys.SelectMany(k => k.Columns.Select(c => (k.From, c)))];
        _ties = new(() => Columns().SelectMany(c => Ties(c.Table, c.Column)).ToLookup(t => (t.Link.From, t.Link.To)));
    }

    /// <summary>The ties by name from one table to another.</summary>
    public IEnumerable<Tie> Between(TableName from, TableName to) => _ties.Value[(from, to)];

    /// <summary>
    /// Of each column that may mean a table all that it may mean: whether its values are found there is a question of all of them.
    /// </summary>
    public IEnumerable<IReadOnlyList<FoundLink>> ThatMayMean(FoundTable parent) =>
        Columns()
            .Select(c => (c.Table, c.Column, Meant: Meant(c.Table, c.Column)))
            .Where(c => c.Meant.Any(t => t.Table == parent.Table))
            .Select(c => (IReadOnlyList<FoundLink>)[.. c.Meant.SelectMany(t => Onto(c.Table, c.Column, t))]);

    /// <summary>Those that are named after something. A key of its own names its own rows; one that is declared leads elsewhere.</summary>
    private IEnumerable<(FoundTable Table, FoundColumn Column)> Columns() =>
        _facts
            .Tables.SelectMany(t => t.Columns.Select(c => (Table: t, Column: c)))
            .Where(c => _named.Contains(Words.Plain(c.Column.Name)))
            .Where(c => !c.Table.IsUnique(c.Column.Name) && !_declared.Contains((c.Table.Table, c.Column.Name)));

    private IEnumerable<Tie> Ties(FoundTable from, FoundColumn column)
    {
        var best = Meant(from, column)
            .Select(t => (Table: t, Link: Onto(from, column, t).FirstOrDefault(l => _facts.Matches.GetValueOrDefault(l, true))))
            .Where(t => t.Link is not null)
            .GroupBy(t => Rank(from, column, t.Table.Table), t => t.Link!)
            .MaxBy(g => g.Key);
        if (best?.ToList() is [var only])
            return [new(only, LinkKind.ByName, null)];
        if (best is not null)
            return best.Select(l => new Tie(l, LinkKind.Unclear, null) { Others = [.. best.Where(o => o != l).Select(o => o.To)] });
        // Where its own schema has nothing of that name, a person may know better: it is named, and never taken.
        return Fitting(from, column).Any(t => t.Table.Schema == from.Table.Schema)
            ? []
            : Fitting(from, column).Select(t => new Tie(Onto(from, column, t).First(), LinkKind.Unclear, null));
    }

    /// <summary>The tables that a column may mean. It may mean its own, such as the id that another system gave the row.</summary>
    private IEnumerable<FoundTable> Meant(FoundTable from, FoundColumn column) =>
        Fitting(from, column).Where(t => t.Table.Schema == from.Table.Schema);

    private IEnumerable<FoundTable> Fitting(FoundTable from, FoundColumn column) =>
        _named[Words.Plain(column.Name)].Where(t => Onto(from, column, t).Any());

    /// <summary>
    /// Of several columns that it may mean the one where its values are, then the one of its own name, else the primary key.
    /// </summary>
    private IEnumerable<FoundLink> Onto(FoundTable from, FoundColumn column, FoundTable to) =>
        to
            .Columns.Where(c => to.IsUnique(c.Name) && c.Family == column.Family)
            .OrderByDescending(c => Words.Plain(c.Name) == Words.Plain(column.Name))
            .ThenByDescending(c => to.PrimaryKey is [var key] && key == c.Name)
            .Select(c => new FoundLink(from.Table, column.Name, to.Table, c.Name))
            .OrderByDescending(l => _facts.Matches.GetValueOrDefault(l));

    /// <summary>
    /// How likely it is that one table's column means the other table: named after the table rather than its key, then by the words that
    /// both tables have beside the column's own, then by the whole of the name.
    /// </summary>
    private static (bool Named, int Shared, int Fit) Rank(FoundTable from, FoundColumn column, TableName to)
    {
        var fit = PointingNames.Fit(to, Words.Plain(column.Name));
        // A table has all words in common with itself, which says nothing.
        var shared = from.Table == to ? [] : Singulars(from.Table.Name).Intersect(Singulars(to.Name)).Except(Singulars(column.Name));
        return (fit > 0, shared.Count(), fit);
    }

    private static IEnumerable<string> Singulars(string name) => Words.Of(name).Select(Words.Singular);
}

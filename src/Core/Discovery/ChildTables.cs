using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Discovery;

/// <summary>Follows the ways down from the session table, and maps the tables that belong to a session.</summary>
internal sealed class ChildTables(DatabaseFacts facts, Links links, Times times, Dependence dependence)
{
    public const string SessionName = "session";

    public const string MessagesName = "messages";

    private readonly List<string> _doubts = [],
        _leftOut = [];

    /// <summary>What a person should know of what was mapped.</summary>
    public IReadOnlyList<string> Doubts => _doubts;

    /// <summary>What was not mapped.</summary>
    public IReadOnlyList<string> LeftOut => _leftOut;

    /// <summary>The tables below the session table, parents first.</summary>
    /// <param name="session">The session table and its key.</param>
    /// <param name="known">Children that a preset has.</param>
    public IReadOnlyList<ProposedChild> Of(FoundTable session, IReadOnlyList<ProposedChild> known)
    {
        List<(string Name, FoundTable Table)> mapped =
        [
            (SessionName, session),
            .. known.Where(k => facts.Table(k.Table) is not null).Select(k => (k.Name, facts.Table(k.Table)!)),
        ];
        List<ProposedChild> children = [.. known];
        while (Next(mapped) is var (child, tie, parent))
        {
            var name =
                child.Table == dependence.Messages && !mapped.Exists(m => m.Name == MessagesName) ? MessagesName : NameOf(child, mapped);
            children.Add(Of(name, child, tie, parent));
            mapped.Add((name, child));
        }
        NameLeftOut(mapped);
        return children;
    }

    /// <summary>
    /// The next table that belongs to one that is mapped, the firmest tie of all first: a table may have ways to several.
    /// </summary>
    private (FoundTable Child, Tie Tie, string Parent)? Next(List<(string Name, FoundTable Table)> mapped)
    {
        var best = mapped
            .SelectMany(m => links.Onto(m.Table).Select(t => (Tie: t, Parent: m)))
            .Where(t => mapped.TrueForAll(m => m.Table.Table != t.Tie.Link.From) && dependence.WhyStays(t.Tie, mapped) is null)
            .OrderByDescending(t => t.Tie.Kind)
            .ThenBy(t => mapped.IndexOf(t.Parent))
            .FirstOrDefault();
        return best.Tie is null ? null : (facts.Table(best.Tie.Link.From)!, best.Tie, best.Parent.Name);
    }

    private ProposedChild Of(string name, FoundTable table, Tie tie, string parent)
    {
        var time = times.First(table, Vocabulary.Written) ?? times.First(table, Vocabulary.Activity);
        Doubt(table, tie);
        return new(
            name,
            table.Table,
            tie.Key is null ? $"{tie.Link.Column} is named after {tie.Link.To.Name}" : $"foreign key {tie.Key.Name}"
        )
        {
            Parent = parent,
            ForeignKey = tie.Link.Column,
            ParentKey = tie.Link.ToColumn,
            Key = table.PrimaryKey.Count > 0 ? KeyColumns.Of([.. table.PrimaryKey]) : null,
            Order = OrderOf(table, time),
            Time = time,
            Deleted = times.First(table, Vocabulary.Deleted),
        };
    }

    private void Doubt(FoundTable table, Tie tie)
    {
        var (name, column) = (table.Table, $"{table.Table}.{tie.Link.Column}");
        var found = facts.Matches.ContainsKey(tie.Link) ? ", and its values are found there" : "";
        if (tie.Kind == LinkKind.ByName)
            _doubts.Add($"{column} is taken for the key of {tie.Link.To} by its name{found}: no foreign key says so.");
        else if (
            tie.Kind == LinkKind.Loose
            || (
                tie.Key is { OnDelete: not 'c' }
                && !Words.Of(name.Name).Any(Vocabulary.Chat.Contains)
                && SessionCandidates.MessagePoints(table) == 0
            )
        )
        {
            var why = tie.Kind == LinkKind.Firm ? "its rows cannot be without it" : "its name says that it is a part of it";
            _doubts.Add(
                $"{name} is archived with its session, because {why}. "
                    + $"If its rows must stay in the database: --without {name}, and the sessions that they need stay, too."
            );
        }
        if (tie.Kind == LinkKind.Loose)
            _doubts.Add($"{column} may be NULL: such rows belong to no session and stay.");
    }

    /// <summary>The order of rows in a document: their place where they have one, then their time, then their key.</summary>
    internal static IReadOnlyList<string> OrderOf(FoundTable table, TimeColumn? time)
    {
        var place = Vocabulary
            .Places.Select(p => table.Columns.FirstOrDefault(c => Words.Plain(c.Name) == p && c.Family == "integer")?.Name)
            .FirstOrDefault(c => c is not null);
        List<string> order = [.. new[] { place, time?.Column }.OfType<string>().Concat(table.PrimaryKey).Distinct()];
        return order.Count > 0
            ? order
            : [table.Columns.FirstOrDefault(c => c.Family is "integer" or "text" or "uuid")?.Name ?? table.Columns[0].Name];
    }

    private void NameLeftOut(List<(string Name, FoundTable Table)> mapped)
    {
        foreach (var tie in mapped.SelectMany(m => links.Onto(m.Table)).Where(t => mapped.TrueForAll(m => m.Table.Table != t.Link.From)))
        {
            var key = tie.Key is null ? "" : $" (foreign key {tie.Key.Name})";
            var why = dependence.WhyStays(tie, mapped);
            _leftOut.Add($"{tie.Link.From}.{tie.Link.Column} points to {tie.Link.To}{key}, and is not mapped: {why}.");
        }
    }

    private static string NameOf(FoundTable table, List<(string Name, FoundTable Table)> mapped)
    {
        // What no key of the configuration can have; "messages" is the name of one table only.
        var plain = string.Concat(table.Table.Name.Select(c => c is ':' or '/' || char.IsControl(c) ? '_' : c)).Trim();
        var taken =
            plain.Length == 0
            || plain is SessionName or MessagesName
            || mapped.Exists(m => m.Name.Equals(plain, StringComparison.OrdinalIgnoreCase));
        return taken ? $"{Words.Plain(table.Table.Schema)}_{plain}" : plain;
    }
}

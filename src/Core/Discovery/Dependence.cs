using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Discovery;

/// <summary>What is known of tables before anything is guessed.</summary>
internal sealed record KnownTables
{
    /// <summary>The table of messages, by which the sessions were found.</summary>
    public TableName? Messages { get; init; }

    /// <summary>Those that a person wants left out.</summary>
    public IReadOnlyList<TableName> Without { get; init; } = [];

    /// <summary>The preset of a known application.</summary>
    public string? Preset { get; init; }

    /// <summary>Those that this application goes on to use when the sessions are gone.</summary>
    public IReadOnlyList<TableName> Leaves { get; init; } = [];
}

/// <summary>Decides whether rows go with those that they point to, or stay in the database.</summary>
internal sealed class Dependence(DatabaseFacts facts, Links links, KnownTables known)
{
    /// <summary>Points of a name that says messages and nothing else.</summary>
    private const int IsMessages = 3;

    /// <summary>The table of messages, if it is known already.</summary>
    public TableName? Messages => known.Messages;

    /// <summary>
    /// Why the rows stay; null where they go. A row that cannot be without its parent goes with it. One that can goes only where its name
    /// says that it is a part of it, and nothing else says that it is more: an invoice that names a conversation is no part, and neither is
    /// an account whose table is called after the chat. They must not leave the database with it.
    /// </summary>
    /// <param name="tie">The way up.</param>
    /// <param name="mapped">The session table and what is mapped below it so far.</param>
    public string? WhyStays(Tie tie, IReadOnlyList<(string Name, FoundTable Table)> mapped)
    {
        var table = facts.Table(tie.Link.From)!;
        if (known.Without.Contains(table.Table))
            return "you left it out";
        if (!table.Readable)
            return $"role {facts.Role} may not read it, so nobody can tell";
        if (known.Leaves.Contains(table.Table))
            return $"preset {known.Preset} leaves it, because the application uses it without them";
        return tie.Kind switch
        {
            LinkKind.Firm => null,
            LinkKind.Unclear when tie.Others.Count > 0 => $"it may as well mean {string.Join(" or ", tie.Others)}",
            LinkKind.Unclear => "only its name points there, and it is in another schema",
            LinkKind.ByName when !IsPart(tie.Link) => "only its name points there",
            LinkKind.Loose when !IsPart(tie.Link) && !Words.Of(table.Table.Name).Any(Vocabulary.Parts.Contains) =>
                "its rows may be without it, and what they point to stays in the database",
            // Without its messages a session would not be worth to be archived.
            _ when table.Table == known.Messages => null,
            _ => WhyMore(table, mapped),
        };
    }

    /// <summary>Why a table is more than a part of what is mapped, although its name sounds like one.</summary>
    private string? WhyMore(FoundTable table, IReadOnlyList<(string Name, FoundTable Table)> mapped)
    {
        if (Lasts(table.Table))
            return "its name says that its rows live on without it";
        var firmer = facts.Keys.FirstOrDefault(k =>
            k.From == table.Table
            && k.To != table.Table
            && Links.IsFirm(table, k)
            // Whose row it is says nothing: every table of an application may name a user.
            && !Lasts(k.To)
            && mapped.All(m => m.Table.Table != k.To)
        );
        if (firmer is not null)
            return $"its rows cannot be without {firmer.To}, whose rows stay (foreign key {firmer.Name})";
        var above =
            PointsOf(table.Table) >= IsMessages
                ? null
                : mapped
                    .Where(m => m.Name is ChildTables.SessionName or ChildTables.MessagesName)
                    .FirstOrDefault(m => links.Between(m.Table, table).Any(t => t.Kind != LinkKind.Unclear))
                    .Table;
        return above is null ? null : $"{above.Table} points to it, too, so that it is no part of that";
    }

    private static bool IsPart(FoundLink link) =>
        PointsOf(link.From) >= IsMessages
        || Words.Of(link.From.Name).Any(Vocabulary.ChatParts.Contains)
        || Words.Plain(link.From.Name).StartsWith(Words.Singular(link.To.Name), StringComparison.Ordinal);

    private static bool Lasts(TableName table) => Words.Points(Words.Singular(table.Name), Vocabulary.Lasting) > 0;

    private static int PointsOf(TableName table) => Words.Points(Words.Singular(table.Name), Vocabulary.Messages);
}

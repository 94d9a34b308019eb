using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Discovery;

/// <summary>A table that may hold the sessions.</summary>
/// <param name="Messages">Where it has its messages; null where they stand in itself.</param>
/// <param name="Points">How much speaks for it.</param>
/// <param name="Reasons">What does.</param>
internal sealed record SessionCandidate(FoundTable Table, Tie? Messages, double Points, IReadOnlyList<string> Reasons);

/// <summary>Ranks the tables of a database by how much speaks for their rows being chat sessions.</summary>
/// <param name="facts">The database.</param>
/// <param name="links">The ways between its tables.</param>
/// <param name="least">By which of these a table of messages may be found.</param>
internal sealed class SessionCandidates(DatabaseFacts facts, Links links, LinkKind least = LinkKind.ByName)
{
    /// <summary>Below this nothing is proposed: a table of logins has a name and a time, too.</summary>
    private const double Least = 8;

    /// <summary>What one of a name or a speaker adds.</summary>
    private const double Hint = 1;

    /// <summary>As much as a good table of messages below it.</summary>
    private const double MessagesOfItsOwn = 8;

    /// <summary>A column's name is weaker than a declared key.</summary>
    private const double ByNameOnly = 0.8;

    /// <summary>Every candidate, the best first.</summary>
    public IReadOnlyList<SessionCandidate> All() =>
        [
            .. facts
                .Tables.Where(t => t.Readable)
                .Select(Of)
                .OfType<SessionCandidate>()
                .OrderByDescending(c => c.Points)
                .ThenBy(c => c.Table.Table.ToString(), StringComparer.Ordinal),
        ];

    /// <summary>A table that somebody says is it, whatever speaks for it.</summary>
    public SessionCandidate Named(FoundTable table) => new(table, MessagesOf(table).Tie, double.MaxValue, ["--sessions names it"]);

    /// <summary>How much speaks for a table's rows being messages.</summary>
    public static double MessagePoints(FoundTable table)
    {
        var name = Words.Points(Words.Singular(table.Table.Name), Vocabulary.Messages);
        if (name == 0)
            return 0;
        return name
            + (table.Columns.Any(c => (c.IsText || c.IsJson) && Vocabulary.Content.Contains(Words.Plain(c.Name))) ? 2 * Hint : 0)
            + (table.Columns.Any(c => Vocabulary.Speaker.Contains(Words.Plain(c.Name))) ? Hint : 0)
            + (table.Columns.Any(c => Vocabulary.Written.Contains(Words.Plain(c.Name))) ? Hint : 0);
    }

    /// <summary>Whether a column of its own has what was said.</summary>
    public static bool HoldsMessages(FoundTable table) =>
        table.Columns.Any(c => (c.IsText || c.IsJson) && Vocabulary.Transcripts.Contains(Words.Plain(c.Name)));

    /// <summary>Whether a name says logins, jobs or baskets, and nothing of a chat. The schema tells, too: auth.sessions.</summary>
    public static bool IsLogin(TableName table) => !IsChat(table) && WordsOf(table).Any(Vocabulary.NotAChat.Contains);

    private static bool IsChat(TableName table) => WordsOf(table).Any(Vocabulary.Chat.Contains);

    private static IEnumerable<string> WordsOf(TableName table) => Words.Of(table.Schema).Concat(Words.Of(table.Name));

    private SessionCandidate? Of(FoundTable table)
    {
        var singular = Words.Singular(table.Table.Name);
        var name = Words.Points(singular, Vocabulary.Sessions);
        if (Words.Points(singular, Vocabulary.Owners) > 0 && name == 0)
            return null;
        var (messages, points) = MessagesOf(table);
        if (messages is null && !HoldsMessages(table))
            return null;
        List<string> reasons = [];
        if (name > 0)
            reasons.Add("its name");
        reasons.Add(
            messages is null
                ? "it holds messages in a column of its own"
                : $"{messages.Link.From} has rows of it ({(messages.Key is null ? "by the name of" : "foreign key")} "
                    + $"{messages.Link.Column})"
        );
        if (Has(table, Vocabulary.Activity))
            reasons.Add("it says when it was last used");
        var sum =
            name
            + points
            + (messages is null ? MessagesOfItsOwn : 0)
            + (
                IsChat(table.Table) ? 2 * Hint
                : IsLogin(table.Table) ? -6 * Hint
                : 0
            )
            + (Has(table, Vocabulary.Activity) ? Hint : 0)
            + (Has(table, Vocabulary.Users) ? Hint : 0)
            + (Has(table, Vocabulary.Titles) ? Hint : 0);
        return sum < Least ? null : new(table, messages, sum, reasons);
    }

    /// <summary>The table below that looks most like messages.</summary>
    private (Tie? Tie, double Points) MessagesOf(FoundTable table) =>
        links
            .Onto(table)
            .Where(t =>
                t.Kind >= least
                && t.Link.From != table.Table
                && !(t.Link.Column.Only is { } only && Vocabulary.Users.Contains(Words.Plain(only)))
            )
            .Select(t => (Tie: (Tie?)t, Points: MessagePoints(facts.Table(t.Link.From)!) * (t.Kind <= LinkKind.ByName ? ByNameOnly : 1)))
            .Where(t => t.Points > 0)
            .OrderByDescending(t => t.Points)
            .FirstOrDefault();

    private static bool Has(FoundTable table, IReadOnlyList<string> names) => table.Columns.Any(c => names.Contains(Words.Plain(c.Name)));
}

using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Discovery;

/// <summary>Chats whose sessions have no row of their own: a session is all messages with the same id.</summary>
internal sealed class RowlessSessions(DatabaseFacts facts, Links links, Times times)
{
    /// <summary>Points of a name that says messages and nothing else.</summary>
    private const int Least = 4;

    /// <summary>The proposal, or why there is none; both null where no table looks like it.</summary>
    /// <param name="table">The one that is meant; null for the one that looks most like messages.</param>
    /// <param name="key">The column of the session's id; null to find it.</param>
    public (Proposal? Proposal, string? Why) Make(TableName? table, string? key)
    {
        var found = facts
            .Tables.Where(t => t.Readable && (table is null ? IsLike(t) : t.Table == table))
            .OrderByDescending(SessionCandidates.MessagePoints)
            .Select(t => (Table: t, Id: key ?? IdOf(t)))
            .FirstOrDefault(t => t.Id is not null);
        if (found.Id is not { } id)
            return (null, null);
        // Then the sessions have rows.
        if (key is null && links.Unclear(found.Table, id) is { Count: > 0 } tables)
            return (
                null,
                $"{found.Table.Table}.{id} may mean {string.Join(" or ", tables)}, and neither a foreign key nor its values say which."
            );
        var says = $"{found.Table.Table} has messages by {id}, but no table has a row for each session";
        return times.First(found.Table, Vocabulary.Written) is { } time
            ? (Of(found.Table, id, time, says), null)
            : (null, $"{says}, and no column says when a message was written: without that nobody can tell which are old.");
    }

    private Proposal Of(FoundTable table, string id, TimeColumn time, string says) =>
        new()
        {
            Session = new(table.Table, $"all rows with one {id} are a session")
            {
                From = SourceMap.MessagesName,
                Key = id,
                Activity = [time],
                Created = time,
            },
            Children =
            [
                new(SourceMap.MessagesName, table.Table, "its rows make the sessions")
                {
                    Parent = SourceMap.SessionName,
                    Key = table.PrimaryKey.Count > 0 ? KeyColumns.Of([.. table.PrimaryKey]) : null,
                    Order = ChildTables.OrderOf(table, time),
                    Time = time,
                },
            ],
            Doubts = [$"{says}: all rows with one {id} are taken for a session, last used at its latest {time.Column}."],
            LeftOut =
            [
                .. facts
                    .Tables.Where(t => t.Table != table.Table)
                    .SelectMany(t =>
                        t.Columns.Where(c => Words.Plain(c.Name) == Words.Plain(id))
                            .Select(c => $"{t.Table}.{c.Name} is named like the session's id, and is not mapped.")
                    ),
            ],
        };

    private static bool IsLike(FoundTable table) =>
        Words.Points(Words.Singular(table.Table.Name), Vocabulary.Messages) >= Least && !SessionCandidates.IsLogin(table.Table);

    // With a foreign key the session has a row.
    private string? IdOf(FoundTable table) =>
        PointingNames
            .OfSessions.Select(i => table.Columns.FirstOrDefault(c => Words.Plain(c.Name) == i && !table.IsUnique(c.Name))?.Name)
            .FirstOrDefault(c => c is not null && !facts.Keys.Any(k => k.From == table.Table && k.Columns.Contains(c)));
}

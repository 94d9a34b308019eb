using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Discovery;

/// <summary>Recognises chats whose sessions have no row of their own: a session is all messages with the same id.</summary>
internal static class RowlessSessions
{
    /// <summary>The table of messages with the column of the session's id; the one that looks most like it.</summary>
    public static (FoundTable Table, FoundColumn Id)? Find(DatabaseFacts facts) => facts.Tables
        .Where(t => t.Readable && (SessionCandidates.MessagePoints(t) >= 4 || IsCheckpoint(t.Table)))
        .OrderByDescending(SessionCandidates.MessagePoints)
        .Select(t => (Table: t, Id: IdOf(t)))
        .Where(t => t.Id is not null).Select(t => ((FoundTable, FoundColumn)?)(t.Table, t.Id!)).FirstOrDefault();

    private static FoundColumn? IdOf(FoundTable table) =>
        PointingNames.OfSessions.Select(i => table.Columns.FirstOrDefault(c => Words.Plain(c.Name) == i && !table.IsUnique(c.Name)))
            .FirstOrDefault(c => c is not null);

    // LangGraph's steps of a thread.
    private static bool IsCheckpoint(TableName table) => Words.Of(table.Name).Any(w => w.StartsWith("checkpoint", StringComparison.Ordinal));

    /// <summary>A sentence about it; null where there is no such table.</summary>
    public static string? Explain(DatabaseFacts facts) => Find(facts) is var (table, id)
        ? $"{table.Table} has messages by {id.Name}, but no table has a row for each session."
        : null;
}

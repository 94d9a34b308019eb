using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>Names, plain, of columns that point to a table although no foreign key says so. See <see cref="Words"/>.</summary>
internal static class PointingNames
{
    private static readonly string[] ForAnyKey = ["id", "uuid", "key", "pk"];

    private static readonly string[] Endings = ["id", "uuid", "key"];

    /// <summary>By which applications point to sessions, whatever their table is called.</summary>
    public static IReadOnlyList<string> OfSessions { get; } = ["sessionid", "conversationid", "threadid", "chatid"];

    /// <summary>
    /// Names after a table, or after its key where that is not called just id: <c>chat_session_id</c>, <c>session_id</c>.
    /// </summary>
    public static IReadOnlySet<string> Of(TableName table, string? key)
    {
        HashSet<string> names = [.. Named(table).SelectMany(n => Endings.Select(e => n + e))];
        if (key is not null && !ForAnyKey.Contains(Words.Plain(key)))
            names.Add(Words.Plain(key));
        return names;
    }

    /// <summary>How well such a name fits: 2 after the whole name of the table, 1 after its last word, 0 after its key only.</summary>
    public static int Fit(TableName table, string name) =>
        Named(table).Select((n, i) => Endings.Any(e => name == n + e) ? 2 - i : 0).DefaultIfEmpty().Max();

    /// <summary>The whole name and its last word, in the singular.</summary>
    private static IEnumerable<string> Named(TableName table) =>
        new[] { table.Name, Words.Of(table.Name).LastOrDefault("") }.Select(Words.Singular).Where(n => n.Length > 0);
}

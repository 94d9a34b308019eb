using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>Names, plain, of columns that point to a table although no foreign key says so. See <see cref="Words"/>.</summary>
internal static class PointingNames
{
    private static readonly string[] ForAnyKey = ["id", "uuid", "key", "pk"];

    /// <summary>By which applications point to sessions, whatever their table is called.</summary>
    public static IReadOnlyList<string> OfSessions { get; } = ["sessionid", "conversationid", "threadid", "chatid"];

    /// <summary>
    /// Names after a table, or after its key where that is not called just id: <c>chat_session_id</c>, <c>session_id</c>.
    /// </summary>
    public static IReadOnlySet<string> Of(TableName table, string? key)
    {
        HashSet<string> names = [];
        foreach (var name in new[] { table.Name, Words.Of(table.Name).LastOrDefault("") }.Select(Words.Singular).Where(n => n.Length > 0))
            names.UnionWith([$"{name}id", $"{name}uuid", $"{name}key"]);
        if (key is not null && !ForAnyKey.Contains(Words.Plain(key)))
            names.Add(Words.Plain(key));
        return names;
    }
}

using Archiver.Core.Postgres;
using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>
/// Rows of a child whose time is set and is none, such as a text of another form: nobody knows how young they are, so they may be of today.
/// </summary>
internal static class UnreadableRows
{
    /// <summary>
    /// SQL that is true where the session has such rows; null where its column holds nothing but times, or none dates them.
    /// </summary>
    /// <param name="key">The session's key.</param>
    public static string? Of(SourceSettings source, SourceShape shape, ChildTable child, SessionKey key, SqlParameters parameters)
    {
        if (child.Time is not { } time || TimeSql.Of(source, shape, child, time).Unreadable(parameters) is not { } unreadable)
            return null;
        var path = SessionPath.Of(source.Map, shape, child);
        return $"EXISTS (SELECT FROM {path.From(child)} WHERE {path.Where(KeyMatch.Is(key))} AND {unreadable})";
    }
}

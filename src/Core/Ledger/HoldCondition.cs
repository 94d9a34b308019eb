using Archiver.Core.Postgres;
using Archiver.Core.Sources;

namespace Archiver.Core.Ledger;

/// <summary>SQL that is true for a session row (alias <c>s</c>) that no legal hold covers, by session, by user or by the time it was created.</summary>
internal static class HoldCondition
{
    /// <param name="source">Placeholder of the source's name.</param>
    public static string NotHeld(SourceSettings settings, SourceShape shape, string key, string source, SqlParameters parameters)
    {
        var table = settings.Map.Session;
        var user = table.User is null ? "NULL" : $"{SessionPath.Column("s", table.User)}::text";
        var dated = table.Created ?? table.Activity[0];
        var time = InstantSql.Of(shape.Session[dated], SessionPath.Column("s", dated), settings.TimeZone, parameters);
        // A session whose time is unknown counts as inside every range: a hold in doubt holds.
        return $"""
            NOT EXISTS (
              SELECT FROM archiver.holds AS h
              WHERE h.source = {source} AND h.removed_at IS NULL
                AND (h.session_id = {key}::text
                     OR h.user_id = {user}
                     OR (coalesce(h.from_time, h.to_time) IS NOT NULL
                         AND coalesce({time} >= h.from_time, true) AND coalesce({time} < h.to_time, true))))
            """;
    }
}

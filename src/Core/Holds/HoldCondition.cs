using Archiver.Core.Ledger;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Holds;

/// <summary>
/// SQL that is true for what no legal hold covers. A hold names a session, a user, or a range of time: then it covers every session whose
/// life, from creation to last activity, its messages' times included, touches the range. What is not known counts as covered: in doubt a
/// hold holds.
/// </summary>
internal static class HoldCondition
{
    /// <summary>For a live session row, alias <c>s</c>. Where no user is mapped, every hold by user may cover it.</summary>
    /// <param name="source">Placeholder of the source's name.</param>
    /// <param name="only">Placeholder of the ids of the holds that are asked for; null for all.</param>
    public static string NotHeld(
        SourceSettings settings,
        SourceShape shape,
        SessionKey key,
        string source,
        SqlParameters parameters,
        string? only = null
    )
    {
        var table = settings.Map.Session;
        string Instant(TimeColumn time) => TimeSql.Of(settings, shape, time).Instant(parameters);
        string First(TimeColumn time) => TimeSql.Of(settings, shape, time, first: true).Instant(parameters);
        var column = SameUser.Column(settings.Map, shape);
        var user = table.User is null ? "NULL::text" : SameUser.Written(column, $"{SessionPath.Column("s", table.User)}::text");
        var created = table.Created is null ? "NULL::timestamptz" : First(table.Created);
        var activity = string.Join(", ", table.Activity.Select(Instant));
        var readable = string.Concat(
            settings
                .Map.Children.Select(c => UnreadableRows.Of(settings, shape, c, key, parameters))
                .OfType<string>()
                .Select(u => $" AND NOT {u}")
        );
        var known = $"num_nulls({activity}) = 0{readable}";
        var begun = $"coalesce({created}, CASE WHEN {known} THEN least({activity}) END)";
        return Condition(
            source,
            $"{key}::text",
            user,
            $"CASE WHEN num_nulls({begun}) = 0{readable} THEN least({begun}{Times("min")}) END",
            $"CASE WHEN {known} THEN greatest({created}, {activity}{Times("max")}) END",
            only,
            column,
            table.User is null ? "true" : "false"
        );

        // A message may be younger, or older, than its session says of itself.
        string Times(string aggregate) =>
            string.Concat(
                settings
                    .Map.Children.Where(c => c.Time is not null)
                    .Select(child =>
                    {
                        var path = SessionPath.Of(settings.Map, shape, child);
                        var time = TimeSql.Of(settings, shape, child, child.Time!).Instant(parameters);
                        return $", (SELECT {aggregate}({time}) FROM {path.From(child)} WHERE {path.Where(KeyMatch.Is(key))})";
                    })
            );
    }

    /// <summary>True for an archive that may be anybody's: no user was mapped when it was written.</summary>
    public static string OwnerUnknown(string alias) => $"({alias}.user_id IS NULL AND {alias}.user_column IS NULL)";

    /// <summary>
    /// For a row of <c>archiver.archives</c>. Of one that an older archiver wrote nobody knows when its session began; where no user was
    /// mapped when it was written, every hold by user may cover it.
    /// </summary>
    /// <param name="alias">Its alias.</param>
    /// <param name="userColumn">The user column as it is now, or null: see <see cref="SameUser"/>.</param>
    /// <param name="only">As for <see cref="NotHeld"/>.</param>
    public static string ArchiveNotHeld(string alias, ColumnShape? userColumn, string? only = null) =>
        Condition(
            $"{alias}.source",
            $"{alias}.session_id",
            SameUser.Form(userColumn, $"{alias}.user_id"),
            $"{alias}.session_first_activity",
            $"CASE WHEN {alias}.session_last_activity IS NOT NULL THEN greatest({alias}.session_created_at, {alias}.session_last_activity) "
                + "END",
            only,
            userColumn,
            OwnerUnknown(alias)
        );

    /// <summary>For a session of which only the id is known: any hold by user or range may cover it.</summary>
    /// <param name="source">SQL of the source's name.</param>
    /// <param name="session">SQL of the session's id.</param>
    public static string IdNotHeld(string source, string session) =>
        $"NOT EXISTS (SELECT FROM archiver.holds AS h WHERE h.source = {source} AND h.removed_at IS NULL AND (h.session_id IS NULL OR "
        + $"h.session_id = ({session}) COLLATE \"C\"))";

    // Users by a set that is made once a statement: their forms cost too much to be made again for each session and hold.
    private static string Condition(
        string source,
        string session,
        string user,
        string first,
        string last,
        string? only,
        ColumnShape? userColumn,
        string anybodys = "false"
    ) =>
        $"""
            (NOT EXISTS (
              SELECT FROM archiver.holds AS h
              WHERE h.source = {source} AND h.removed_at IS NULL{Only(only)}
                AND (h.session_id = ({session}) COLLATE "C"
                     OR (h.user_id IS NOT NULL AND {anybodys})
                     OR (coalesce(h.from_time, h.to_time) IS NOT NULL
                         AND coalesce(({first}) < h.to_time, true) AND coalesce(({last}) >= h.from_time, true))))
             AND NOT coalesce(({source}, {user}) IN (
              SELECT h.source, {SameUser.Form(userColumn, "h.user_id")} FROM archiver.holds AS h WHERE h.removed_at IS NULL
                AND h.user_id IS NOT NULL{Only(only)}), false))
            """;

    private static string Only(string? holds) => holds is null ? "" : $" AND h.id = ANY ({holds})";
}

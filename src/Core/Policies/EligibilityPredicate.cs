using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Policies;

/// <summary>
/// The one predicate that says which sessions a policy takes, as SQL over the session row (alias <c>s</c>). Plan, selection and explain
/// all use it. A NULL, infinite or future activity is unknown and never eligible; NULL comparisons take care of the first.
/// </summary>
internal sealed class EligibilityPredicate(SourceSettings source, SourceShape shape, Policy policy, Cutoffs cutoffs)
{
    /// <summary>The reason of a session whose activity is NULL, infinite or in the future.</summary>
    public const string UnknownActivity = "unknown activity";

    private readonly RowChoice? _rows = RowChoice.Of(source, shape, policy, cutoffs);

    /// <summary>
    /// The time whose age the policy judges, and in whose order its sessions are taken, so that the index of its condition gives the order
    /// too: without it the few deleted sessions would be looked for among all.
    /// </summary>
    public static TimeColumn OrderColumn(Policy policy, SessionTable table) =>
        policy switch
        {
            { IdleFor: not null } => table.Activity[0],
            // With Scope Messages it judges messages; their sessions stay and have no such time.
            { DeletedFor: not null, Scope: PurgeScope.Sessions } when table.Deleted is { } deleted => deleted,
            { ExpiredFor: not null } when table.Expires is { } expires => expires,
            { EndedFor: not null } when table.Ended is { } ended => ended,
            _ => table.Activity[0],
        };

    /// <summary>Every condition by the reason that it excludes a session for when it is not met.</summary>
    public IReadOnlyList<Condition> Conditions(SqlParameters parameters)
    {
        var table = source.Map.Session;
        List<Condition> conditions = [];
        // A comparison, not isfinite(): of a function the planner believes that it is true for a third of the rows, and a backlog that it
        // takes for small it sorts whole, batch after batch. Where messages of sessions that live on are judged, a session that is used
        // while the run goes on is no unknown one.
        if (!policy.TakesParts)
            conditions.AddRange(table.Activity.Select(a => Of(UnknownActivity, a, cutoffs.Now, t => t.Known(cutoffs.Now, parameters))));
        if (policy.IdleFor is { } idle)
        {
            var cutoff = cutoffs.Before(idle);
            conditions.AddRange(table.Activity.Select(a => Of("too young", a, cutoff, t => t.Old(cutoff, parameters))));
            if (table.Ended is { } ended)
                conditions.Add(Of("too young", ended, cutoff, t => t.UnsetOrOld(cutoff, parameters)) with { Narrowing = null });
            conditions.AddRange(
                source
                    .Map.Children.Select(c =>
                        UnreadableRows.Of(source, shape, c, shape.KeyOf(source.Map, "s"), parameters) is { } unreadable
                            ? new Condition(UnknownActivity, $"{c.Name}.{c.Time}", $"NOT {unreadable}") { IsBeyondStatistics = true }
                            : null
                    )
                    .OfType<Condition>()
            );
            conditions.AddRange(
                source
                    .Map.Children.Where(c => c.Time is not null)
                    .Select(c => new Condition("too young", $"{c.Name}.{c.Time}", NoYoungRow(c, idle, parameters))
                    {
                        IsBeyondStatistics = true,
                        Date = Youngest(c),
                        Before = cutoffs.Before(idle),
                    })
            );
        }
        AddRole(conditions, "not ended long enough", policy.EndedFor, table.Ended, parameters);
        if (_rows is null)
            AddRole(conditions, "not deleted long enough", policy.DeletedFor, table.Deleted, parameters);
        else
            AddRowsOfSession(conditions, _rows, parameters);
        AddRole(conditions, "not expired long enough", policy.ExpiredFor, table.Expires, parameters);
        if (policy.Action == PolicyAction.Expire)
            conditions.Add(new("status", table.Status!, NotYetExpired(Session(table.Status!))));
        if (policy.Status.Count > 0)
            conditions.Add(
                new("status", table.Status!, $"{Session(table.Status!)}::text = ANY ({parameters.Add(PgParameter.Texts(policy.Status))})")
            );
        if (policy.Where is { } where)
        {
            // On lines of its own: a trailing comment in it must not swallow the parenthesis.
            conditions.Add(new("Where", "Where", $"(\n{where}\n)"));
        }
        return conditions;
    }

    /// <summary>All conditions, ANDed.</summary>
    public string Sql(SqlParameters parameters) => Condition.All(Conditions(parameters));

    private static string Session(string column) => SessionPath.Column("s", column);

    /// <summary>Of sessions that stay: what is left of one that its user deleted goes, or comes back, together with it.</summary>
    private void AddRowsOfSession(List<Condition> conditions, RowChoice rows, SqlParameters parameters)
    {
        if (source.Map.Session.Deleted is { } deleted)
            conditions.Add(new("session deleted", deleted.ToString(), TimeSql.Of(source, shape, deleted).IsUnset));
        conditions.AddRange(rows.OfSession(parameters));
    }

    private void AddRole(List<Condition> conditions, string reason, TimeSpan? age, TimeColumn? time, SqlParameters parameters)
    {
        if (age is { } value && time is not null)
            conditions.Add(Of(reason, time, cutoffs.Before(value), t => t.SetAndOld(cutoffs.Before(value), parameters)));
    }

    /// <summary>A condition on one of the session's times, which wants it before an instant.</summary>
    private Condition Of(string reason, TimeColumn time, DateTimeOffset before, Func<TimeSql, string> condition)
    {
        var sql = TimeSql.Of(source, shape, time);
        return new(reason, time.ToString(), condition(sql))
        {
            IsBeyondStatistics = sql.IsBeyondStatistics,
            Narrowing = sql.Narrowing(before),
            Date = sql.Instant,
            Before = before,
        };
    }

    private Func<SqlParameters, string> Youngest(ChildTable child) =>
        parameters =>
        {
            var path = SessionPath.Of(source.Map, shape, child);
            return $"(SELECT max({TimeSql.Of(source, shape, child, child.Time!).Instant(parameters)}) FROM {path.From(child)} WHERE "
                + $"{path.Where(KeyMatch.Is(shape.KeyOf(source.Map, "s")))})";
        };

    // Without Status named, what is stored keeps its mark. A NULL status is unknown and stays.
    private string NotYetExpired(string status) =>
        policy.Status.Count > 0
            ? $"{status}::text <> '{SessionStatus.Expired}'"
            : $"{status}::text NOT IN ('{SessionStatus.Expired}', '{SessionStatus.Archived}')";

    // A NULL time dates nothing: the session's own activity does. A future one is not old, so the session stays.
    private string NoYoungRow(ChildTable child, TimeSpan idle, SqlParameters parameters)
    {
        var path = SessionPath.Of(source.Map, shape, child);
        var young = TimeSql.Of(source, shape, child, child.Time!).Young(cutoffs.Before(idle), parameters);
        return $"NOT EXISTS (SELECT FROM {path.From(child)} WHERE {path.Where(KeyMatch.Is(shape.KeyOf(source.Map, "s")))} AND {young})";
    }
}

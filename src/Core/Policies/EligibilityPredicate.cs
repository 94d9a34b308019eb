using Archiver.Core.Postgres;
using Archiver.Core.Sources;

namespace Archiver.Core.Policies;

/// <summary>
/// The one predicate that says which sessions a policy takes, as SQL over the session row (alias <c>s</c>). Plan, selection and explain
/// all use it. A NULL, infinite or future activity is unknown and never eligible; NULL comparisons take care of the first.
/// </summary>
internal sealed class EligibilityPredicate(SourceSettings source, SourceShape shape, Policy policy, Cutoffs cutoffs)
{
    /// <summary>Every condition by the reason that it excludes a session for when it is not met.</summary>
    public IReadOnlyList<Condition> Conditions(SqlParameters parameters)
    {
        var table = source.Map.Session;
        List<Condition> conditions = [];
        conditions.AddRange(table.Activity.Select(c => new Condition("unknown activity", c, Known(c, parameters))));
        if (policy.IdleFor is { } idle)
        {
            conditions.AddRange(table.Activity.Select(c => new Condition("too young", c, Old(Session(c), shape.Session[c], idle, parameters))));
            if (table.Ended is { } ended)
                conditions.Add(new("too young", ended, $"({Session(ended)} IS NULL OR {Old(Session(ended), shape.Session[ended], idle, parameters)})"));
            conditions.AddRange(source.Map.Children.Where(c => c.Time is not null).Select(c => new Condition("too young", $"{c.Name}.{c.Time}", NoYoungRow(c, idle, parameters))));
        }
        AddRole(conditions, "not ended long enough", policy.EndedFor, table.Ended, parameters);
        AddRole(conditions, "not deleted long enough", policy.DeletedFor, table.Deleted, parameters);
        AddRole(conditions, "not expired long enough", policy.ExpiredFor, table.Expires, parameters);
        if (policy.Status.Count > 0)
            conditions.Add(new("status", table.Status!, $"{Session(table.Status!)}::text = ANY ({parameters.Add(PgParameter.Texts(policy.Status))})"));
        if (policy.Where is { } where)
        {
            // On lines of its own: a trailing comment in it must not swallow the parenthesis.
            conditions.Add(new("Where", "Where", $"(\n{where}\n)"));
        }
        return conditions;
    }

    /// <summary>All conditions, ANDed.</summary>
    public string Sql(SqlParameters parameters) => string.Join("\n  AND ", Conditions(parameters).Select(c => c.Sql));

    private static string Session(string column) => SessionPath.Column("s", column);

    private void AddRole(List<Condition> conditions, string reason, TimeSpan? age, string? column, SqlParameters parameters)
    {
        if (age is { } value && column is not null)
            conditions.Add(new(reason, column, Old(Session(column), shape.Session[column], value, parameters)));
    }

    private string Known(string column, SqlParameters parameters) =>
        $"(isfinite({Session(column)}) AND {Session(column)} <= {Instant(shape.Session[column], TimeSpan.Zero, parameters)})";

    // A NULL time dates nothing: the session's own activity does. A future one is not old, so the session stays.
    private string NoYoungRow(ChildTable child, TimeSpan idle, SqlParameters parameters)
    {
        var path = SessionPath.Of(source.Map, child);
        var time = SessionPath.Column("t", child.Time!);
        var young = $"{time} >= {Instant(shape[child.Name][child.Time!], idle, parameters)}";
        return $"NOT EXISTS (SELECT FROM {path.From(child)} WHERE {path.Where($"= {Session(source.Map.Session.Key)}")} AND {young})";
    }

    private string Old(string column, ColumnShape type, TimeSpan age, SqlParameters parameters) => $"{column} < {Instant(type, age, parameters)}";

    /// <summary>The cut-off in the column's own type, so that its index serves; a column without zone is read in the source's time zone.</summary>
    private string Instant(ColumnShape column, TimeSpan age, SqlParameters parameters)
    {
        var instant = parameters.Add(PgParameter.Instant(cutoffs.Before(age)));
        return column.BaseType switch
        {
            "timestamp with time zone" => instant,
            "timestamp without time zone" => $"({instant} AT TIME ZONE {parameters.Add(PgParameter.Text(source.TimeZone))})",
            "date" => $"({instant} AT TIME ZONE {parameters.Add(PgParameter.Text(source.TimeZone))})::date",
            _ => throw new InvalidOperationException($"Column '{column.Name}' is {column.Type}, not a date or timestamp; inspection should have refused it."),
        };
    }
}

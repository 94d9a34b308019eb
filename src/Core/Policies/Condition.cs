using Archiver.Core.Postgres;

namespace Archiver.Core.Policies;

/// <summary>One of the conditions that a session must all meet to be taken.</summary>
/// <param name="Reason">What keeps a session out that does not meet it; stable, it is counted by.</param>
/// <param name="Subject">What it looks at: a column, a child table, the ledger.</param>
/// <param name="Sql">The condition over the session row, alias <c>s</c>; NULL counts as not met.</param>
internal sealed record Condition(string Reason, string Subject, string Sql)
{
    /// <summary>
    /// Whether the planner knows nothing of it: it asks other tables that there be no such row, or computes. It is then believed to be met
    /// by few sessions, where nearly all meet it; of five of them, by a single one.
    /// </summary>
    public bool IsBeyondStatistics { get; init; }

    /// <summary>The date that it compares, as timestamptz, for whoever wants to see it; only then are its parameters added.</summary>
    public Func<SqlParameters, string>? Date { get; init; }

    /// <summary>The date must lie before this instant; null where it is compared with something else.</summary>
    public DateTimeOffset? Before { get; init; }

    /// <summary>
    /// True for whatever meets it, and for some more: a comparison of a column alone, for an index to serve. Null where it is such a one
    /// itself.
    /// </summary>
    public string? Narrowing { get; init; }

    /// <summary>What the planner has statistics for, of all of them, ANDed.</summary>
    public static string Narrow(IEnumerable<Condition> conditions) =>
        string.Join("\n  AND ", conditions.Select(c => c.IsBeyondStatistics ? c.Narrowing : c.Sql).OfType<string>().DefaultIfEmpty("true"));

    /// <summary>All of them, ANDed; without any, true.</summary>
    public static string All(IEnumerable<Condition> conditions) =>
        string.Join("\n  AND ", conditions.Select(c => c.Sql).DefaultIfEmpty("true"));
}

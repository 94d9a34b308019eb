using Archiver.Core.Policies;

namespace Archiver.Core.Selection;

/// <summary>Why a policy takes a session or not, condition by condition.</summary>
/// <param name="SessionId">Its key, or null when no such session is in the table.</param>
/// <param name="Conditions">Every condition.</param>
internal sealed record SessionExplanation(string? SessionId, IReadOnlyList<ExplainedCondition> Conditions)
{
    public bool Eligible => SessionId is not null && Conditions.All(c => c.Met);
}

/// <summary>A condition over one session.</summary>
/// <param name="Condition">The condition.</param>
/// <param name="Met">Whether the session meets it.</param>
/// <param name="Date">The date that it compares, as PostgreSQL writes it in UTC; null where there is none.</param>
internal sealed record ExplainedCondition(Condition Condition, bool Met, string? Date);

using Archiver.Core.Policies;

namespace Archiver.Core.Selection;

/// <summary>Why a policy takes a session or not, condition by condition.</summary>
/// <param name="SessionId">Its key, or null when no such session is in the table.</param>
/// <param name="Conditions">Every condition and whether the session meets it.</param>
internal sealed record SessionExplanation(string? SessionId, IReadOnlyList<(Condition Condition, bool Met)> Conditions)
{
    public bool Eligible => SessionId is not null && Conditions.All(c => c.Met);
}

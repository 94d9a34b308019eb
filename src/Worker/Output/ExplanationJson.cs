using Archiver.Core.Selection;
using Archiver.Core.Settings;

namespace Archiver.Worker.Output;

/// <summary>A policy's view of one session as <c>explain --json</c> prints it.</summary>
internal sealed record ExplanationJson(
    string Source,
    string Policy,
    string SessionId,
    bool Eligible,
    IReadOnlyList<ConditionJson> Conditions
)
{
    public static ExplanationJson Of(Policy policy, SessionExplanation explanation) =>
        new(
            policy.Source,
            policy.Name,
            explanation.SessionId!,
            explanation.Eligible,
            [
                .. explanation.Conditions.Select(c => new ConditionJson(
                    c.Condition.Reason,
                    c.Condition.Subject,
                    c.Met,
                    c.Date,
                    c.Condition.Before
                )),
            ]
        );
}

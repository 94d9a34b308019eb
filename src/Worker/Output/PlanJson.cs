using Archiver.Core.Pipelines;
using Archiver.Core.Settings;

namespace Archiver.Worker.Output;

/// <summary>One policy's plan as <c>plan --json</c> prints it.</summary>
internal sealed record PlanJson(
    string Source,
    string Policy,
    PolicyAction Action,
    long Total,
    long Eligible,
    long Due,
    long Rows,
    long Bytes,
    string? Oldest,
    bool NeedsAcceptance,
    IReadOnlyDictionary<string, long> Excluded,
    IReadOnlyDictionary<string, long> Overlaps,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<PlannedSessionJson> Sessions
)
{
    public static PlanJson Of(Policy policy, PreviewedPolicy preview) =>
        new(
            policy.Source,
            policy.Name,
            policy.Action,
            preview.Plan.Total,
            preview.Plan.Eligible,
            preview.Due,
            preview.Size.Rows,
            preview.Size.Bytes,
            preview.Size.Oldest,
            preview.NeedsAcceptance,
            preview.Plan.Excluded,
            preview.Overlaps,
            preview.Warnings,
            [.. preview.Sessions.Select(s => PlannedSessionJson.Of(s, preview.Now))]
        );
}

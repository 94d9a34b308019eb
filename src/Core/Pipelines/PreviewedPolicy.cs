using Archiver.Core.Selection;

namespace Archiver.Core.Pipelines;

/// <summary>What a run of a policy would do now.</summary>
/// <param name="Now">The database's clock; ages count from here.</param>
/// <param name="Plan">How many sessions are taken, and how many are not for which reason.</param>
/// <param name="Due">Sessions stored by earlier runs whose rows would be deleted besides.</param>
/// <param name="Size">How much the taken ones are.</param>
/// <param name="Sessions">The first of them, in the order of a run.</param>
/// <param name="NeedsAcceptance">A run would stop at the trip wire.</param>
/// <param name="Overlaps">Other policies that take some of the same sessions, with their number.</param>
/// <param name="Warnings">What inspection says of the source that a person should know, with the statement that mends it.</param>
internal sealed record PreviewedPolicy(
    DateTimeOffset Now,
    PolicyPlan Plan,
    long Due,
    PlanSize Size,
    IReadOnlyList<SelectedSession> Sessions,
    bool NeedsAcceptance,
    IReadOnlyDictionary<string, long> Overlaps,
    IReadOnlyList<string> Warnings
);

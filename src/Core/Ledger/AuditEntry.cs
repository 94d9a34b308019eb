namespace Archiver.Core.Ledger;

/// <summary>One destructive or manual action, for people who ask later who did it and why.</summary>
/// <param name="Who">The person at the command line, or the worker.</param>
/// <param name="Action">The verb, such as <c>accept</c> or <c>purge</c>.</param>
/// <param name="Source">Source it concerns; null for all.</param>
/// <param name="Policy">Policy it concerns; null for none.</param>
/// <param name="RunId">The run that did it; null where no run was needed.</param>
/// <param name="Reason">What the person gave as reason, or null. Never text of a row.</param>
/// <param name="Counts">What it changed, by kind; only what a commit confirms.</param>
internal sealed record AuditEntry(
    string Who,
    string Action,
    string? Source = null,
    string? Policy = null,
    Guid? RunId = null,
    string? Reason = null,
    IReadOnlyDictionary<string, long>? Counts = null
)
{
    public IReadOnlyDictionary<string, long> Counts { get; } = Counts ?? new Dictionary<string, long>();
}

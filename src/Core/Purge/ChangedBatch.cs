using Archiver.Core.Ledger;

namespace Archiver.Core.Purge;

/// <summary>What committed transactions of a purge or an expiry did.</summary>
/// <param name="Done">Keys of the sessions whose rows were changed.</param>
/// <param name="Rows">Rows deleted.</param>
/// <param name="Dropped">Sessions left as they were, with their reasons.</param>
internal sealed record ChangedBatch(IReadOnlyList<string> Done, long Rows, IReadOnlyList<DroppedSession> Dropped)
{
    public ChangedBatch And(ChangedBatch other) => new([.. Done, .. other.Done], Rows + other.Rows, [.. Dropped, .. other.Dropped]);
}

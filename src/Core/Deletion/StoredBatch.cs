using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Verification;

namespace Archiver.Core.Deletion;

/// <summary>What committed transactions stored without deleting: these sessions are stored and marked, those are not.</summary>
internal sealed record StoredBatch(IReadOnlyList<VerifiedSession> Stored, IReadOnlyList<DroppedSession> Dropped)
{
    public StoredBatch And(StoredBatch other) => new([.. Stored, .. other.Stored], [.. Dropped, .. other.Dropped]);
}

/// <summary>A session that this transaction marked.</summary>
/// <param name="Session">The session with its object.</param>
/// <param name="Fingerprints">Its row versions after the mark.</param>
/// <param name="Mark">What the mark replaced, as JSON; null where nothing was marked.</param>
internal sealed record MarkedSession(VerifiedSession Session, IReadOnlyDictionary<string, Fingerprint> Fingerprints, string? Mark);

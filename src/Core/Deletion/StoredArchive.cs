using Archiver.Core.Export;

namespace Archiver.Core.Deletion;

/// <summary>The archive of a session whose rows stay.</summary>
/// <param name="Id">Its row in the ledger.</param>
/// <param name="Key">The session key as text.</param>
/// <param name="Mark">What the mark replaced, as JSON; null where nothing was marked.</param>
/// <param name="Reason">Why it is superseded, if it is and the session is still there.</param>
internal sealed record StoredArchive(long Id, string Key, string? Mark, string Reason)
{
    /// <summary>The run counted the session as failed already.</summary>
    public bool HasFailed { get; init; }

    /// <summary>The row versions after the mark.</summary>
    public IReadOnlyDictionary<string, Fingerprint> Fingerprints { get; init; } = new Dictionary<string, Fingerprint>();
}

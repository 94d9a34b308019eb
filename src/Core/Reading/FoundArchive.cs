namespace Archiver.Core.Reading;

/// <summary>An archive that a restore asks for.</summary>
/// <param name="Archive">The archive.</param>
/// <param name="ObjectId">Its object.</param>
/// <param name="ExternalId">The session's other id.</param>
/// <param name="WithoutSession">A part of a session that is neither in the tables nor in the archive, and that nobody named.</param>
/// <param name="HasLaterPart">See <see cref="RestoreCandidate.HasLaterPart"/>.</param>
/// <param name="NeedsSession">See <see cref="RestoreCandidate.NeedsSession"/>.</param>
/// <param name="HasEarlierPart">See <see cref="RestoreCandidate.HasEarlierPart"/>.</param>
/// <param name="IsOnlyCompared">See <see cref="RestoreCandidate.IsOnlyCompared"/>.</param>
internal sealed record FoundArchive(
    LocatedArchive Archive,
    long ObjectId,
    string? ExternalId,
    bool WithoutSession,
    bool HasLaterPart,
    bool NeedsSession,
    bool HasEarlierPart,
    bool IsOnlyCompared
)
{
    /// <summary>As a restore takes it.</summary>
    public RestoreCandidate ToCandidate() =>
        RestoreCandidate.Of(Archive) with
        {
            HasLaterPart = HasLaterPart,
            NeedsSession = NeedsSession,
            HasEarlierPart = HasEarlierPart,
            IsOnlyCompared = IsOnlyCompared,
        };
}

using Archiver.Core.Storage;

namespace Archiver.Core.Reading;

/// <summary>A document that is to be restored.</summary>
/// <param name="SessionId">The session that must be in it; null when only its object was named.</param>
/// <param name="Object">Where it is.</param>
/// <param name="Archive">What the ledger knows of it; null when the bucket is all there is.</param>
internal sealed record RestoreCandidate(string? SessionId, ObjectName Object, LocatedArchive? Archive)
{
    /// <summary>For messages: the id where it is known, else the key.</summary>
    public string Name => SessionId ?? Object.Key;

    /// <summary>
    /// Of a part that was restored before: whether another part was made since, which may have its messages as they were last.
    /// </summary>
    public bool HasLaterPart { get; init; }

    /// <summary>Of a part: whether another was restored before this one was made, which may have had its messages.</summary>
    public bool HasEarlierPart { get; init; }

    /// <summary>
    /// Of a part that was restored before, and whose session nobody named: its rows are looked for, and not put back where they are gone.
    /// </summary>
    public bool IsOnlyCompared { get; init; }

    /// <summary>
    /// Of a part that nobody named by itself: whether the session has an archive of its own, so that the session's row is that one's to
    /// bring.
    /// </summary>
    public bool NeedsSession { get; init; }

    public static RestoreCandidate Of(LocatedArchive archive) => new(archive.SessionId, archive.Object, archive);
}

using Archiver.Core.Storage;

namespace Archiver.Core.Reading;

/// <summary>Where one session's document is, and what its bytes must be.</summary>
internal sealed record LocatedArchive(
    long Id,
    string Source,
    string SessionId,
    int Generation,
    string State,
    ObjectName Object,
    long Offset,
    long Length,
    long JsonLength,
    byte[] JsonSha256
)
{
    /// <summary>Whose it is; with the times it tells an erased session from a newer one of the same id.</summary>
    public string? User { get; init; }

    /// <summary>When the session began.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>When it was exported.</summary>
    public DateTimeOffset? CopiedAt { get; init; }
}

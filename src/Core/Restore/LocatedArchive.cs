using Archiver.Core.Storage;

namespace Archiver.Core.Restore;

/// <summary>Where one session's document is, and what its bytes must be.</summary>
internal sealed record LocatedArchive(
    long Id, string Source, string SessionId, int Generation, string State, ObjectName Object, long Offset, long Length, long JsonLength, byte[] JsonSha256);

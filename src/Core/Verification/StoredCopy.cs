using Archiver.Core.Storage;

namespace Archiver.Core.Verification;

/// <summary>Where a session's document is in the store, and what its bytes must be.</summary>
/// <param name="ObjectId">Its object's row in <c>archiver.objects</c>.</param>
/// <param name="Object">The object, in the version that reads must name.</param>
/// <param name="Offset">First byte of the session's gzip member.</param>
/// <param name="Length">Bytes of the gzip member.</param>
/// <param name="JsonLength">Bytes of the JSON.</param>
/// <param name="JsonSha256">SHA-256 of the JSON.</param>
internal sealed record StoredCopy(long ObjectId, ObjectName Object, long Offset, long Length, long JsonLength, byte[] JsonSha256);

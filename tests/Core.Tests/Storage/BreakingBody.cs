using Archiver.Core.Diagnostics;
using Archiver.Core.Storage;

namespace Archiver.Core.Tests.Storage;

/// <summary>Bodies of a store that break off.</summary>
internal static class BreakingBody
{
    /// <summary>Of the failure.</summary>
    public const string Message = "The connection broke.";

    /// <summary>What follows <paramref name="offset"/>, of which no more than <paramref name="piece"/> bytes come.</summary>
    public static Stream Of(byte[] content, long offset, int piece)
    {
        var left = content.Length - (int)offset;
        return new ObjectStream(new MemoryStream(content, (int)offset, Math.Min(piece, left)), left, e =>
            e is EndOfStreamException ? new StorageException(StorageFailure.Transient, Message, e) : null
        );
    }
}

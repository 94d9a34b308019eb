using System.Runtime.CompilerServices;
using Archiver.Core.Spool;

namespace Archiver.Core.Documents;

/// <summary>
/// Finds where the gzip members of a bundle begin. A decompressor reads ahead and does not say where a member ended, so the headers are
/// looked for, and each piece between two of them must prove to be a whole document: compressed bytes may look like a header.
/// </summary>
internal static class GzipMembers
{
    // Magic, deflate, no flags, no time: what the export writes.
    private static readonly byte[] Header = [0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0];

    /// <summary>First byte and end of each member.</summary>
    /// <exception cref="InvalidDataException">Some piece is no whole document.</exception>
    public static async IAsyncEnumerable<(long Start, long End)> SplitAsync(
        SpooledContent content,
        Func<SpooledContent, long, long, CancellationToken, Task<bool>> isWhole,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var start = 0L;
        foreach (var end in await FindHeadersAsync(content, cancellationToken))
        {
            if (end == 0 || !await isWhole(content, start, end, cancellationToken))
                continue;
            yield return (start, end);
            start = end;
        }
        if (!await isWhole(content, start, content.Length, cancellationToken))
            throw new InvalidDataException($"The bundle is damaged from byte {start} on.");
        yield return (start, content.Length);
    }

    private static async Task<List<long>> FindHeadersAsync(SpooledContent content, CancellationToken cancellationToken)
    {
        List<long> found = [];
        await using var bytes = content.OpenRead();
        var buffer = new byte[256 * 1024];
        var (kept, position) = (0, 0L);
        while (await bytes.ReadAsync(buffer.AsMemory(kept), cancellationToken) is var read and > 0)
        {
            var filled = kept + read;
            for (var at = 0; buffer.AsSpan(at, filled - at).IndexOf(Header) is var next and >= 0; at += next + 1)
                found.Add(position + at + next);
            // A header may lie across two reads.
            kept = Math.Min(Header.Length - 1, filled);
            position += filled - kept;
            buffer.AsSpan(filled - kept, kept).CopyTo(buffer);
        }
        return found;
    }
}

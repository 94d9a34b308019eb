using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Compression;
using Archiver.Core.Documents;

namespace Archiver.Core.Export;

/// <summary>
/// Compresses documents while the next rows are read: gzip is most of the work of an archive, so there are two lines, each a thread of its
/// own when it has work. A document is in one line from its first chunk to its last. Chunks keep a document of any size out of memory.
/// </summary>
internal sealed class DocumentCompressor : IAsyncDisposable
{
    /// <summary>Size at which a chunk of an unfinished document is passed on.</summary>
    public const int ChunkBytes = 256 * 1024;

    private const int Lines = 2;

    private readonly ConcurrentBag<ArrayBufferWriter<byte>> _free = [];
    private readonly CompressionLine[] _lines;

    /// <param name="level">Of gzip.</param>
    /// <param name="library">Where the machine has it; without it all is System.IO.Compression's.</param>
    public DocumentCompressor(CompressionLevel level, Libdeflate? library) =>
        _lines = [.. Enumerable.Range(0, Lines).Select(_ => new CompressionLine(level, library, Recycle))];

    /// <summary>An empty buffer; it comes back through <see cref="AddAsync"/>.</summary>
    public ArrayBufferWriter<byte> Rent() => _free.TryTake(out var buffer) ? buffer : new ArrayBufferWriter<byte>(16 * 1024);

    /// <summary>Passes on the next piece of the open document; waits while too many are in line.</summary>
    public ValueTask AddAsync(DocumentChunk chunk, CancellationToken cancellationToken) =>
        _lines[chunk.Session % Lines].AddAsync(chunk, cancellationToken);

    /// <summary>Waits for the last document and hands all over, by their session's position in the batch; the caller owns them.</summary>
    public async Task<IReadOnlyDictionary<int, SessionDocument>> CompleteAsync()
    {
        Dictionary<int, SessionDocument> documents = [];
        await Task.WhenAll(_lines.Select(l => l.CompleteAsync()));
        // Not before every line has finished: a failure of one must leave the others' documents to be freed.
        foreach (var (session, document) in _lines.SelectMany(l => l.TakeDocuments()))
            documents.Add(session, document);
        return documents;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var line in _lines)
            await line.DisposeAsync();
    }

    private void Recycle(ArrayBufferWriter<byte> buffer)
    {
        // A buffer that one huge row has grown goes to the collector instead of staying for every later chunk.
        if (buffer.Capacity > 4 * ChunkBytes)
            return;
        buffer.Clear();
        _free.Add(buffer);
    }
}

/// <summary>A piece of a document.</summary>
/// <param name="Session">The session's position in the batch.</param>
/// <param name="Bytes">The next bytes.</param>
/// <param name="Last">Whether the document ends with them.</param>
internal readonly record struct DocumentChunk(int Session, ArrayBufferWriter<byte> Bytes, bool Last);

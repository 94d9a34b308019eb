using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Threading.Channels;
using Archiver.Core.Storage;

namespace Archiver.Core.Export;

/// <summary>
/// Compresses documents on a thread of its own while the next rows are read: gzip is most of the work of an archive. Documents come in
/// chunks, so that one of any size is never whole in memory.
/// </summary>
internal sealed class DocumentCompressor : IAsyncDisposable
{
    /// <summary>Size at which a chunk of an unfinished document is passed on.</summary>
    public const int ChunkBytes = 256 * 1024;

    private const int ChunksWaiting = 16;

    private readonly Channel<DocumentChunk> _chunks = Channel.CreateBounded<DocumentChunk>(new BoundedChannelOptions(ChunksWaiting) { SingleReader = true, SingleWriter = true });
    private readonly ConcurrentBag<ArrayBufferWriter<byte>> _free = [];
    private readonly Dictionary<int, SessionDocument> _documents = [];
    private readonly CompressionLevel _level;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;
    private bool _handedOver;

    public DocumentCompressor(CompressionLevel level)
    {
        _level = level;
        _work = Task.Run(CompressAsync);
    }

    /// <summary>An empty buffer; it comes back through <see cref="AddAsync"/>.</summary>
    public ArrayBufferWriter<byte> Rent() => _free.TryTake(out var buffer) ? buffer : new ArrayBufferWriter<byte>(16 * 1024);

    /// <summary>Passes on the next piece of the open document; waits while too many are in line.</summary>
    public async ValueTask AddAsync(DocumentChunk chunk, CancellationToken cancellationToken)
    {
        while (!_chunks.Writer.TryWrite(chunk))
        {
            if (!await _chunks.Writer.WaitToWriteAsync(cancellationToken).ConfigureAwait(false))
                await _work.ConfigureAwait(false);
        }
    }

    /// <summary>Waits for the last document and hands all over, by their session's position in the batch; the caller owns them.</summary>
    public async Task<IReadOnlyDictionary<int, SessionDocument>> CompleteAsync()
    {
        _chunks.Writer.TryComplete();
        await _work.ConfigureAwait(false);
        _handedOver = true;
        return _documents;
    }

    public async ValueTask DisposeAsync()
    {
        _chunks.Writer.TryComplete();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        if (_handedOver)
            return;
        foreach (var document in _documents.Values)
            await document.Content.DisposeAsync().ConfigureAwait(false);
    }

    private async Task CompressAsync()
    {
        SpoolingStream? spool = null;
        GZipStream? gzip = null;
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            var length = 0L;
            await foreach (var chunk in _chunks.Reader.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                gzip ??= new GZipStream(spool = new SpoolingStream(), _level, leaveOpen: true);
                sha256.AppendData(chunk.Bytes.WrittenSpan);
                length += chunk.Bytes.WrittenCount;
                gzip.Write(chunk.Bytes.WrittenSpan);
                Recycle(chunk.Bytes);
                if (!chunk.Last)
                    continue;
                await gzip.DisposeAsync().ConfigureAwait(false);
                await using (spool!.ConfigureAwait(false))
                    _documents.Add(chunk.Session, new(spool!.Complete(), length, sha256.GetHashAndReset()));
                (gzip, spool, length) = (null, null, 0);
            }
        }
        catch (Exception exception)
        {
            // The writer may be waiting for room: it must learn of this instead of waiting for ever.
            _chunks.Writer.TryComplete(exception);
            throw;
        }
        finally
        {
            if (gzip is not null)
                await gzip.DisposeAsync().ConfigureAwait(false);
            if (spool is not null)
                await spool.DisposeAsync().ConfigureAwait(false);
        }
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
internal sealed record DocumentChunk(int Session, ArrayBufferWriter<byte> Bytes, bool Last);

using System.Buffers;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Threading.Channels;
using Archiver.Core.Documents;
using Archiver.Core.Spool;

namespace Archiver.Core.Export;

/// <summary>One of the compressor's lines: takes chunks in order and makes each document's gzip member.</summary>
internal sealed class CompressionLine : IAsyncDisposable
{
    private const int ChunksWaiting = 8;

    private readonly Channel<DocumentChunk> _chunks = Channel.CreateBounded<DocumentChunk>(
        new BoundedChannelOptions(ChunksWaiting) { SingleReader = true, SingleWriter = true }
    );
    private readonly Dictionary<int, SessionDocument> _documents = [];
    private readonly CompressionLevel _level;
    private readonly Libdeflate? _library;
    private readonly Action<ArrayBufferWriter<byte>> _recycle;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;
    private bool _taken;

    /// <param name="level">Of gzip.</param>
    /// <param name="library">For documents that come as one chunk, as nearly all do; null where the machine has none.</param>
    /// <param name="recycle">Takes a chunk's buffer back.</param>
    public CompressionLine(CompressionLevel level, Libdeflate? library, Action<ArrayBufferWriter<byte>> recycle)
    {
        _level = level;
        _library = library;
        _recycle = recycle;
        _work = Task.Run(CompressAsync);
    }

    public async ValueTask AddAsync(DocumentChunk chunk, CancellationToken cancellationToken)
    {
        while (!_chunks.Writer.TryWrite(chunk))
        {
            if (!await _chunks.Writer.WaitToWriteAsync(cancellationToken))
                await _work;
        }
    }

    /// <summary>Waits for the last document.</summary>
    public async Task CompleteAsync()
    {
        _chunks.Writer.TryComplete();
        await _work;
    }

    /// <summary>Hands the finished documents over, by their session's position; the caller owns them.</summary>
    public IReadOnlyDictionary<int, SessionDocument> TakeDocuments()
    {
        _taken = true;
        return _documents;
    }

    public async ValueTask DisposeAsync()
    {
        _chunks.Writer.TryComplete();
        await _stop.CancelAsync();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
        if (_taken)
            return;
        foreach (var document in _documents.Values)
            await document.Content.DisposeAsync();
    }

    private async Task CompressAsync()
    {
        SpoolingStream? spool = null;
        GZipStream? gzip = null;
        using var arena = new SpoolArena();
        using var whole = _library?.OfLevel(_level);
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        try
        {
            var length = 0L;
            await foreach (var chunk in _chunks.Reader.ReadAllAsync(_stop.Token))
            {
                spool ??= new SpoolingStream(arena: arena);
                sha256.AppendData(chunk.Bytes.WrittenSpan);
                length += chunk.Bytes.WrittenCount;
                if (gzip is null && chunk.Last && whole is not null)
                    spool.Write(whole.Compress(chunk.Bytes.WrittenSpan));
                else
                    (gzip ??= new GZipStream(spool, _level, leaveOpen: true)).Write(chunk.Bytes.WrittenSpan);
                _recycle(chunk.Bytes);
                if (!chunk.Last)
                    continue;
                if (gzip is not null)
                    await gzip.DisposeAsync();
                await using (spool)
                    _documents.Add(chunk.Session, new(spool.Complete(), length, sha256.GetHashAndReset()));
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
            try
            {
                // It writes once more, and fails once more where the spool is full.
                if (gzip is not null)
                    await gzip.DisposeAsync();
            }
            finally
            {
                if (spool is not null)
                    await spool.DisposeAsync();
            }
        }
    }
}

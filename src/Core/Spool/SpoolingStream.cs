using System.Security.Cryptography;

namespace Archiver.Core.Spool;

/// <summary>
/// Collects the bytes of an object while they are made, and their SHA-256: in pooled memory up to a threshold, beyond it in an encrypted
/// temporary file. <see cref="Complete"/> hands everything to a <see cref="SpooledContent"/>; a stream disposed without it frees all.
/// Writes are synchronous also when awaited: they go to memory or to the page cache.
/// </summary>
/// <param name="memoryLimit">Bytes kept in memory.</param>
/// <param name="folder">Where the temporary file goes; null for the system's folder.</param>
/// <param name="arena">Memory shared with what is spooled before and after; null for memory of its own.</param>
internal sealed class SpoolingStream(long memoryLimit = SpoolingStream.DefaultMemoryLimit, string? folder = null, SpoolArena? arena = null)
    : Stream
{
    public const long DefaultMemoryLimit = 8L << 20;

    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly SpoolArena? _own = arena is null ? new() : null;
    private SpoolChunks? _memory;
    private SpoolFile? _file;
    private long _length;
    private bool _ended;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => !_ended;

    public override long Length => _length;

    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    /// <summary>Whether the bytes left memory.</summary>
    public bool IsSpilled => _file is not null;

    /// <summary>Ends writing. The content owns the bytes from here on; the caller disposes it.</summary>
    /// <exception cref="SpoolException">The temporary file could not be written.</exception>
    public SpooledContent Complete()
    {
        ObjectDisposedException.ThrowIf(_ended, this);
        _file?.Complete();
        _ended = true;
        var content = new SpooledContent(_length, _sha256.GetHashAndReset(), _memory, _file);
        (_memory, _file) = (null, null);
        return content;
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        ObjectDisposedException.ThrowIf(_ended, this);
        if (_file is null && _length + buffer.Length > memoryLimit)
            Spill();
        if (_file is not null)
            _file.Append(buffer);
        else
            (_memory ??= new(arena ?? _own!)).Append(buffer);
        _sha256.AppendData(buffer);
        _length += buffer.Length;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void WriteByte(byte value) => Write([value]);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() { }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _ended = true;
            _memory?.Dispose();
            _own?.Dispose();
            _file?.Dispose();
            _sha256.Dispose();
            (_memory, _file) = (null, null);
        }
        base.Dispose(disposing);
    }

    private void Spill()
    {
        _file = new SpoolFile(folder ?? Path.GetTempPath());
        for (var i = 0; i < (_memory?.Count ?? 0); i++)
            _file.Append(_memory![i].Span);
        _memory?.Dispose();
        _memory = null;
    }
}

namespace Archiver.Core.Spool;

/// <summary>
/// What a <see cref="SpoolingStream"/> collected. Its streams can seek, and several can be open at once; disposing the content frees
/// the memory or the file under all of them.
/// </summary>
internal sealed class SpooledContent : IObjectContent, IAsyncDisposable, IDisposable
{
    private readonly SpoolChunks? _memory;
    private readonly SpoolFile? _file;
    private bool _disposed;

    internal SpooledContent(long length, byte[] sha256, SpoolChunks? memory, SpoolFile? file)
    {
        Length = length;
        Sha256 = sha256;
        _memory = memory;
        _file = file;
    }

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> Sha256 { get; }

    /// <inheritdoc/>
    public Stream OpenRead()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new ReadStream(this, _file?.OpenReader(Length));
    }

    public void Dispose()
    {
        _disposed = true;
        _memory?.Dispose();
        _file?.Dispose();
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private sealed class ReadStream(SpooledContent content, SpoolFile.Reader? file) : ReadOnlyStream
    {
        private long _position;

        public override bool CanSeek => true;

        public override long Length => content.Length;

        public override long Position
        {
            get => _position;
            set
            {
                ArgumentOutOfRangeException.ThrowIfNegative(value);
                _position = value;
            }
        }

        public override int Read(Span<byte> buffer)
        {
            ObjectDisposedException.ThrowIf(content._disposed, content);
            var count = file?.Read(_position, buffer) ?? content._memory?.Read(_position, buffer) ?? 0;
            _position += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new ValueTask<int>(Read(buffer.Span));
        }

        public override long Seek(long offset, SeekOrigin origin) =>
            Position = origin switch
            {
                SeekOrigin.Begin => offset,
                SeekOrigin.Current => _position + offset,
                SeekOrigin.End => Length + offset,
                _ => throw new ArgumentOutOfRangeException(nameof(origin), origin, null),
            };
    }
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Spool;

namespace Archiver.Core.Storage;

/// <summary>
/// The bytes of an object as a caller of <see cref="IArchiveReader"/> reads them: exactly as many as the store announced. A body that
/// ends early is a <see cref="StorageFailure.Transient"/> failure, never a shorter object; errors of the connection are translated.
/// </summary>
/// <param name="inner">The body; disposed together with <paramref name="owner"/>.</param>
/// <param name="length">Bytes announced.</param>
/// <param name="describe">Turns an error of the inner stream into one of the store's; null passes it through.</param>
/// <param name="owner">What else to dispose, or null.</param>
internal sealed class ObjectStream(Stream inner, long length, Func<Exception, StorageException?> describe, IDisposable? owner = null)
    : ReadOnlyStream
{
    private long _read;

    /// <summary>Bytes announced.</summary>
    public override long Length => length;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length > length - _read)
            buffer = buffer[..(int)(length - _read)];
        if (buffer.IsEmpty)
            return 0;
        int count;
        try
        {
            count = await inner.ReadAsync(buffer, cancellationToken);
            if (count == 0)
                throw new EndOfStreamException($"The object ended after {_read} of {Counted.Of(length, "byte")}.");
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && describe(e) is { } known)
        {
            throw known;
        }
        _read += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            owner?.Dispose();
        }
        base.Dispose(disposing);
    }
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Spool;

namespace Archiver.Core.Storage;

/// <summary>
/// A body that goes on where it broke off: the rest is asked for by its range. An object is never overwritten; where somebody did it, the
/// reader's hash tells.
/// </summary>
/// <param name="body">As it was opened.</param>
/// <param name="length">Bytes announced.</param>
/// <param name="reopen">Opens what follows so many bytes; null when the object is gone.</param>
internal sealed class ResumedStream(Stream body, long length, Func<long, CancellationToken, Task<Stream?>> reopen) : ReadOnlyStream
{
    /// <summary>Times a body goes on. One that brings a few bytes each time would hold its reader for ever.</summary>
    private const int Most = 3;

    private Stream _body = body;
    private long _read;
    private int _resumed;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                var count = await _body.ReadAsync(buffer, cancellationToken);
                if (count == 0 && _read < length && !buffer.IsEmpty)
                    throw new StorageException(
                        StorageFailure.Transient,
                        $"The object ended after {_read} of {Counted.Of(length, "byte")}."
                    );
                _read += count;
                return count;
            }
            catch (StorageException exception) when (exception.Failure == StorageFailure.Transient && _resumed < Most)
            {
                _resumed++;
                await _body.DisposeAsync();
                _body = await reopen(_read, cancellationToken)
                    ?? throw new StorageException(StorageFailure.Transient, "The object went away while it was read.", exception);
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _body.Dispose();
        base.Dispose(disposing);
    }
}

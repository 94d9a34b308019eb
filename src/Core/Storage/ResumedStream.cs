using Archiver.Core.Diagnostics;
using Archiver.Core.Spool;

namespace Archiver.Core.Storage;

/// <summary>
/// A body that goes on where it broke off: the rest is asked for by its range. An object is never overwritten; where somebody did it, the
/// reader's hash tells.
/// </summary>
/// <param name="body">As it was opened.</param>
/// <param name="clock">
/// Of opening and body together. What comes at <see cref="StallGuardStream.Slowest"/> costs nothing of the budget: a long body may break
/// off often, and one that brings a few bytes each time does not hold its reader for ever.
/// </param>
/// <param name="resume">Opens what follows so many bytes, after this failure; throws it when the budget is spent.</param>
internal sealed class ResumedStream(Stream body, RetryClock clock, Func<long, StorageException, CancellationToken, Task<Stream>> resume)
    : ReadOnlyStream
{
    private Stream _body = body;
    private long _read;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            try
            {
                var count = await _body.ReadAsync(buffer, cancellationToken);
                _read += count;
                if (clock.FirstFailure is not null)
                    clock.Earned += TimeSpan.FromSeconds((double)count / StallGuardStream.Slowest);
                return count;
            }
            catch (StorageException exception) when (exception.Failure == StorageFailure.Transient)
            {
                await _body.DisposeAsync();
                _body = await resume(_read, exception, cancellationToken);
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

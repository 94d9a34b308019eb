using Archiver.Core.Spool;

namespace Archiver.Core.Storage;

/// <summary>
/// Ends a body that stops with a <see cref="TimeoutException"/>: one that brings nothing within the time limit, or that has been waited for
/// longer than the limit and what it brought is worth at <see cref="Slowest"/>. A byte now and then would otherwise hold its reader, and
/// the source's lock, for ever.
/// </summary>
internal sealed class StallGuardStream(Stream inner, TimeSpan readTimeout, TimeProvider time) : ReadOnlyStream
{
    /// <summary>Bytes a second; time in which the reader does something else does not count.</summary>
    public const int Slowest = 16 * 1024;

    // One for all reads: a source and a timer for each would cost more than most reads do.
    private readonly CancellationTokenSource _limit = new(Timeout.InfiniteTimeSpan, time);
    private TimeSpan _waited;
    private long _received;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var read = inner.ReadAsync(buffer, _limit.Token);
        if (!read.IsCompletedSuccessfully)
            return WaitAsync(read, cancellationToken);
        var count = read.Result;
        _received += count;
        return new(count);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            _limit.Dispose();
        }
        base.Dispose(disposing);
    }

    private async ValueTask<int> WaitAsync(ValueTask<int> read, CancellationToken cancellationToken)
    {
        using var given = cancellationToken.UnsafeRegister(static limit => ((CancellationTokenSource)limit!).Cancel(), _limit);
        var left = readTimeout + TimeSpan.FromSeconds((double)_received / Slowest) - _waited;
        var began = time.GetTimestamp();
        _limit.CancelAfter(
            left <= TimeSpan.Zero ? TimeSpan.Zero
            : left < readTimeout ? left
            : readTimeout
        );
        try
        {
            var count = await read;
            _received += count;
            return count;
        }
        catch (OperationCanceledException e) when (_limit.IsCancellationRequested)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new TimeoutException(
                left < readTimeout
                    ? $"The body arrives too slowly: {_received} bytes in {(_waited + time.GetElapsedTime(began)).TotalSeconds:0.###} s."
                    : $"The body stopped arriving for {readTimeout.TotalSeconds:0.###} s.",
                e
            );
        }
        finally
        {
            _limit.CancelAfter(Timeout.InfiniteTimeSpan);
            _waited += time.GetElapsedTime(began);
        }
    }
}

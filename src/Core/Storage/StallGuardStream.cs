namespace Archiver.Core.Storage;

/// <summary>Ends a read that brings nothing within a time limit with a <see cref="TimeoutException"/>.</summary>
internal sealed class StallGuardStream(Stream inner, TimeSpan readTimeout, TimeProvider time) : ReadOnlyStream
{
    // One for all reads: a source and a timer for each would cost more than most reads do.
    private readonly CancellationTokenSource _limit = new(Timeout.InfiniteTimeSpan, time);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var read = inner.ReadAsync(buffer, _limit.Token);
        return read.IsCompletedSuccessfully ? read : WaitAsync(read, cancellationToken);
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
        _limit.CancelAfter(readTimeout);
        try
        {
            return await read.ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (_limit.IsCancellationRequested)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new TimeoutException($"The body stopped arriving for {readTimeout.TotalSeconds:0.###} s.", e);
        }
        finally
        {
            _limit.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }
}

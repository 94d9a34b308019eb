namespace Archiver.Core.Storage;

/// <summary>Ends a read that brings nothing within a time limit with a <see cref="TimeoutException"/>.</summary>
internal sealed class StallGuardStream(Stream inner, TimeSpan readTimeout, TimeProvider time) : ReadOnlyStream
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var limit = new CancellationTokenSource(readTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            return await inner.ReadAsync(buffer, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The body stopped arriving for {readTimeout.TotalSeconds:0.###} s.", e);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}

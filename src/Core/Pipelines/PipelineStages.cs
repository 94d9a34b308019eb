using System.Runtime.ExceptionServices;
using System.Threading.Channels;

namespace Archiver.Core.Pipelines;

/// <summary>Stages that run beside each other; the first failure stops all of them and is the pipeline's.</summary>
internal sealed class PipelineStages(CancellationToken cancellationToken, CancellationToken lost) : IDisposable
{
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lost);
    private ExceptionDispatchInfo? _failure;

    /// <summary>Runs a stage and ends its channel with it; a failure is for <see cref="ThrowIfFailed"/>.</summary>
    public async Task RunAsync<T>(Func<CancellationToken, Task> stage, ChannelWriter<T>? output)
    {
        try
        {
            await stage(_stop.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Another stage failed, the lock was lost or the caller gave up: the pipeline says which.
        }
        catch (Exception exception)
        {
            Interlocked.CompareExchange(ref _failure, ExceptionDispatchInfo.Capture(exception), null);
            await _stop.CancelAsync();
        }
        finally
        {
            output?.TryComplete();
        }
    }

    /// <summary>Throws what made a stage fail first, with its stack.</summary>
    public void ThrowIfFailed() => _failure?.Throw();

    public void Dispose() => _stop.Dispose();
}

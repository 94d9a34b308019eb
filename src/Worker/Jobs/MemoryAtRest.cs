namespace Archiver.Worker.Jobs;

/// <summary>
/// Gives memory back when the worker has come to rest. A night's run leaves buffers and compiler's scratch memory behind, and afterwards so
/// little is allocated that no collection would come before the next night: what the run left would be held all day.
/// </summary>
/// <remarks>
/// Rest is seen, not announced: a minute in which little was allocated, whatever the work before was, and no run going on that merely
/// waits.
/// </remarks>
internal sealed class MemoryAtRest(SourceTurns turns, TimeProvider time, ILogger<MemoryAtRest> logger) : BackgroundService
{
    /// <summary>Allocated by work; health checks and scrapes alone stay below it.</summary>
    public const long Work = 32 << 20;

    /// <summary>The runtime's pools of buffers let go of them at the second collection, a minute after the first.</summary>
    private const int Collections = 3;

    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await WatchAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // A host that could not start cancels us too, and would log this as one more fault beside the real one.
        }
    }

    private async Task WatchAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        // The start is work, too.
        var left = Collections;
        var before = 0L;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var allocated = GC.GetTotalAllocatedBytes();
            if (allocated - before > Work || turns.AnyTaken)
                left = Collections;
            else if (left > 0)
            {
                left--;
                GiveBack();
                logger.AtRest(Environment.WorkingSet);
            }
            before = allocated;
        }
    }

    /// <summary>
    /// Both heaps: the runtime's own, and that of the C library, which keeps one for each thread that ever compiled something.
    /// </summary>
    private static void GiveBack()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        NativeHeap.Trim();
    }
}

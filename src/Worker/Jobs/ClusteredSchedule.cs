using System.Collections.Concurrent;
using System.Data.Common;
using System.Net.Sockets;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Quartz;

namespace Archiver.Worker.Jobs;

/// <summary>
/// <c>Schedule:Clustered</c>: one Quartz cluster a source, whose tables lie in schema <c>archiver_quartz</c> of the source's own database.
/// Each firing happens on one worker; a firing whose worker died is done again by another. What makes a run exclusive is still its lock.
/// </summary>
internal sealed class ClusteredSchedule(
    ClusterScheduler schedulers,
    ServerWait servers,
    Readiness readiness,
    TimeProvider time,
    ILogger<ClusteredSchedule> logger
) : IAsyncDisposable
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<string, (StandaloneSchedulerFactory Factory, IScheduler Scheduler)> _started = new(
        StringComparer.Ordinal
    );

    /// <summary>The source's cluster, or null while this worker has not joined it.</summary>
    public IScheduler? Of(string source) => _started.TryGetValue(source, out var joined) ? joined.Scheduler : null;

    /// <summary>
    /// Joins the source's cluster when its server answers, however long that takes; jobs are brought up to date before it fires any.
    /// </summary>
    public async Task StartAsync(SourceSettings source, CancellationToken cancellationToken)
    {
        for (var pause = TimeSpan.FromSeconds(1); ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            await servers.UntilReadyAsync(source, cancellationToken);
            try
            {
                _started[source.Name] = await schedulers.JoinAsync(source, cancellationToken);
                readiness.Set(source.Name, ready: true);
                return;
            }
            catch (Exception exception)
                when (exception
                        is SchedulerException
                            or DbException
                            or ArchiverException
                            or TimeoutException
                            or IOException
                            or SocketException
                    && !cancellationToken.IsCancellationRequested
                )
            {
                // A scheduler that failed once is of no more use; the next attempt makes another.
                readiness.Set(source.Name, ready: false);
                logger.ClusterNotJoined(exception, source.Name);
            }
            await Task.Delay(pause, time, cancellationToken);
        }
    }

    /// <summary>Leaves the clusters; running jobs are cancelled and waited for, and handed to other workers.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var (_, scheduler) in _started.Values)
            await scheduler.Shutdown(waitForJobsToComplete: true, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (factory, _) in _started.Values)
            await factory.DisposeAsync();
        _started.Clear();
    }
}

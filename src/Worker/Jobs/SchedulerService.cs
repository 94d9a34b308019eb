using Archiver.Core.Settings;
using Archiver.Worker.Output;

namespace Archiver.Worker.Jobs;

/// <summary>
/// Keeps the schedule while the worker lives. Quartz's own hosted service would start before anybody knows what was missed.
/// </summary>
internal sealed class SchedulerService(
    ArchiverSettings settings,
    LocalSchedule local,
    ClusteredSchedule cluster,
    WorkerOutcome outcome,
    IHostApplicationLifetime lifetime,
    ILogger<SchedulerService> logger
) : BackgroundService, IHostedLifecycleService
{
    private Task? _end;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Tells the runs at once. The HTTP side is the first service that stops, and it waits for every answer that is on its way, for as long
    /// as the whole worker may: a run that heard of the end only after that began batches until then, and was dropped in the middle of one.
    /// </summary>
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        _end = EndAsync(cancellationToken);
        return Task.CompletedTask;
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await (_end ??= EndAsync(cancellationToken));
        logger.WorkerStopped();
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            if (settings.Schedule.Clustered)
                await Task.WhenAll(settings.Sources.Select(s => cluster.StartAsync(s, stoppingToken)));
            else
                await local.StartAsync(settings.Sources, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped while it still waited for a server.
        }
        catch (Exception exception)
        {
            // Thrown on, it would stop the host and still end the process with 0.
            logger.SchedulerFailed(exception);
            outcome.ExitCode = ExitCode.Failed;
            lifetime.StopApplication();
        }
    }

    private async Task EndAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await local.StopAsync(cancellationToken);
        await cluster.StopAsync(cancellationToken);
    }
}

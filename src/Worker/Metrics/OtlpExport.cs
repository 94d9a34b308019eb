using Archiver.Core.Diagnostics;
using Archiver.Worker.Jobs;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Archiver.Worker.Metrics;

/// <summary>
/// The same metrics over OTLP, where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> (or the one for metrics) is set; the library reads this and the other
/// <c>OTEL_...</c> variables from the configuration. Nobody else reads the board where no one scrapes, so this does.
/// </summary>
internal sealed class OtlpExport(IConfiguration configuration, BatchMeter batches, StatusBoard board, TimeProvider time, ILogger<OtlpExport> logger) : BackgroundService
{
    private static readonly string[] Variables = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"];

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    public static bool IsConfigured(IConfiguration configuration) => Array.Exists(Variables, v => !string.IsNullOrWhiteSpace(configuration[v]));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var provider = Sdk.CreateMeterProviderBuilder()
            .ConfigureServices(services => services.AddSingleton(configuration))
            .ConfigureResource(resource => resource.AddService("archiver"))
            .AddMeter(batches.Meter.Name)
            // The library knows meters by their names only.
            .AddView(instrument => instrument.Meter == batches.Meter ? null : MetricStreamConfiguration.Drop)
            .AddOtlpExporter()
            .Build();
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
                await ReadAsync(stoppingToken).ConfigureAwait(false);
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The end of the worker; disposing the provider sends what is left.
        }
    }

    // Metrics are no reason for the worker to end, which is what the host does for a service that throws.
    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await board.ReadAsync(Interval / 2, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            logger.StatusNotRead(exception);
        }
    }
}

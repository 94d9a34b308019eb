using Archiver.Core.Diagnostics;
using Archiver.Worker.Jobs;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Archiver.Worker.Metrics;

/// <summary>
/// The same metrics, and traces of runs, over OTLP, where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> (or the one for metrics or traces) is set; the
/// library reads this and the other <c>OTEL_...</c> keys from the configuration. Nobody else reads the board where no one scrapes, so this
/// does.
/// </summary>
internal sealed class OtlpExport(
    IConfiguration configuration,
    BatchMeter batches,
    StatusBoard board,
    TimeProvider time,
    ILogger<OtlpExport> logger
) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private MeterProvider? _metrics;
    private TracerProvider? _traces;

    public static bool IsConfigured(IConfiguration configuration) =>
        IsConfigured(configuration, "METRICS") || IsConfigured(configuration, "TRACES");

    /// <summary>Before anything else of the worker starts: what ran until then would be missing.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        if (IsConfigured(configuration, "METRICS"))
        {
            _metrics = Sdk.CreateMeterProviderBuilder()
                .ConfigureServices(services => services.AddSingleton(configuration))
                .SetResourceBuilder(Resource())
                .AddMeter(batches.Meter.Name)
                // The library knows meters by their names only.
                .AddView(instrument => instrument.Meter == batches.Meter ? null : MetricStreamConfiguration.Drop)
                .AddOtlpExporter()
                .Build();
        }
        if (IsConfigured(configuration, "TRACES"))
        {
            _traces = Sdk.CreateTracerProviderBuilder()
                .ConfigureServices(services => services.AddSingleton(DiscreetSpans.Without(configuration)))
                .SetResourceBuilder(Resource())
                .AddSource(Traces.Name, "Npgsql")
                .AddProcessor<DiscreetSpans>()
                .AddOtlpExporter()
                .Build();
        }
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_metrics is null)
            return;
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do await ReadAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The end of the worker.
        }
    }

    /// <summary>Sends what is left.</summary>
    public override void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
        base.Dispose();
    }

    private static bool IsConfigured(IConfiguration configuration, string signal) =>
        Array.Exists(["OTEL_EXPORTER_OTLP_ENDPOINT", $"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"], key =>
            !string.IsNullOrWhiteSpace(configuration[key])
        ) && !string.Equals(configuration[$"OTEL_{signal}_EXPORTER"], "none", StringComparison.OrdinalIgnoreCase);

    // Our name first: what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say comes after it and counts.
    private static ResourceBuilder Resource() =>
        ResourceBuilder
            .CreateEmpty()
            .AddTelemetrySdk()
            .AddService("archiver", serviceVersion: typeof(OtlpExport).Assembly.GetName().Version?.ToString(3))
            .AddEnvironmentVariableDetector();

    // Metrics are no reason for the worker to end, which is what the host does for a service that throws.
    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await board.ReadAsync(Interval / 2, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            logger.StatusNotRead(exception);
        }
    }
}

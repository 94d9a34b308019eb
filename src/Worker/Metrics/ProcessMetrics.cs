using System.Diagnostics.Metrics;
using Archiver.Core.Diagnostics;

namespace Archiver.Worker.Metrics;

/// <summary>This process, under the names that Prometheus clients of every language give.</summary>
internal sealed class ProcessMetrics : IDisposable
{
    private readonly Meter _meter = new(BatchMeter.MeterName);

    public ProcessMetrics()
    {
        _meter.CreateObservableGauge("process.resident_memory", () => Environment.WorkingSet, "By", "Resident memory of the worker.");
        _meter.CreateObservableCounter("process.cpu", () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "Processor time that the worker has used.");
    }

    public void Dispose() => _meter.Dispose();
}

using Archiver.Core.Diagnostics;

namespace Archiver.Worker.Metrics;

/// <summary>This process, under the names that Prometheus clients of every language give.</summary>
internal sealed class ProcessMetrics
{
    public ProcessMetrics(BatchMeter batches)
    {
        batches.Meter.CreateObservableGauge(
            "process.resident_memory",
            () => Environment.WorkingSet,
            "By",
            "Resident memory of the worker."
        );
        batches.Meter.CreateObservableCounter(
            "process.cpu",
            () => Environment.CpuUsage.TotalTime.TotalSeconds,
            "s",
            "Processor time that the worker has used."
        );
    }
}

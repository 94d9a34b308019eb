using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Archiver.Core.Diagnostics;

/// <summary>
/// What this worker does phase by phase, for metrics. What became of sessions is read from the ledger instead, which knows of every worker
/// and forgets nothing at a restart.
/// </summary>
internal sealed class BatchMeter : IDisposable
{
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _sessions,
        _rows,
        _bytes;

    public BatchMeter()
    {
        _duration = Meter.CreateHistogram(
            "archiver.batch.duration",
            "s",
            "Seconds that one batch spent in a phase, in this process. Phases overlap: a batch is read back while it is uploaded.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] }
        );
        _sessions = Meter.CreateCounter<long>("archiver.batch.sessions", null, "Sessions that came through a phase, in this process.");
        _rows = Meter.CreateCounter<long>("archiver.batch.rows", null, "Rows that came through a phase, in this process.");
        _bytes = Meter.CreateCounter<long>("archiver.batch.size", "By", "Compressed bytes that came through a phase, in this process.");
    }

    /// <summary>
    /// The meter that everything of this worker is measured by; another worker in the same process has one of its own of the same name.
    /// </summary>
    public Meter Meter { get; } = new("Archiver");

    /// <summary>A batch came through a phase.</summary>
    public void Record(string source, string policy, string phase, TimeSpan elapsed, long sessions, long rows, long bytes)
    {
        var tags = new TagList
        {
            { "source", source },
            { "policy", policy },
            { "phase", phase },
        };
        _duration.Record(elapsed.TotalSeconds, tags);
        _sessions.Add(sessions, tags);
        _rows.Add(rows, tags);
        _bytes.Add(bytes, tags);
    }

    public void Dispose() => Meter.Dispose();
}

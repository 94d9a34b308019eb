using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Archiver.Core.Diagnostics;

/// <summary>
/// What this process does phase by phase, for metrics. What became of sessions is read from the ledger instead, which knows of every worker
/// and forgets nothing at a restart.
/// </summary>
internal static class BatchMeter
{
    /// <summary>Name of the meter that everything of the archiver is measured by.</summary>
    public const string MeterName = "Archiver";

    private static readonly Meter Meter = new(MeterName);

    private static readonly Histogram<double> Duration = Meter.CreateHistogram(
        "archiver.batch.duration", "s", "Seconds that one batch spent in a phase, in this process. Phases overlap: a batch is read back while it is uploaded.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] });

    private static readonly Counter<long> Sessions = Meter.CreateCounter<long>("archiver.batch.sessions", null, "Sessions that came through a phase, in this process.");

    private static readonly Counter<long> Rows = Meter.CreateCounter<long>("archiver.batch.rows", null, "Rows that came through a phase, in this process.");

    private static readonly Counter<long> Bytes = Meter.CreateCounter<long>("archiver.batch.size", "By", "Compressed bytes that came through a phase, in this process.");

    /// <summary>A batch came through a phase.</summary>
    public static void Record(string source, string policy, string phase, TimeSpan elapsed, long sessions, long rows, long bytes)
    {
        var tags = new TagList { { "source", source }, { "policy", policy }, { "phase", phase } };
        Duration.Record(elapsed.TotalSeconds, tags);
        Sessions.Add(sessions, tags);
        Rows.Add(rows, tags);
        Bytes.Add(bytes, tags);
    }
}

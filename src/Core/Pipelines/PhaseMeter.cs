using Archiver.Core.Diagnostics;
using Archiver.Core.Export;
using Archiver.Core.Ledger;

namespace Archiver.Core.Pipelines;

/// <summary>Measures the phases of a run's batches.</summary>
internal sealed class PhaseMeter(BatchMeter? batches, RunContext run, TimeProvider time)
{
    public long Now => time.GetTimestamp();

    public TimeSpan Since(long began) => time.GetElapsedTime(began);

    /// <summary>These sessions came through a phase that began then.</summary>
    public void Record(string phase, long began, IReadOnlyList<ExportedSession> sessions)
    {
        var (rows, bytes) = (sessions.Sum(s => s.Rows), sessions.Sum(s => s.Document.Content.Length));
        batches?.Record(run.Source.Name, run.Policy.Name, phase, time.GetElapsedTime(began), sessions.Count, rows, bytes);
        Traces.Note(sessions.Count, rows, bytes);
    }
}

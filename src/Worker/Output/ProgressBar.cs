using Archiver.Core.Ledger;
using Spectre.Console;

namespace Archiver.Worker.Output;

/// <summary>A run's progress as a bar.</summary>
internal sealed class ProgressBar(ProgressTask task) : IProgress<RunProgress>
{
    public void Report(RunProgress value)
    {
        // A bar of nothing is full.
        task.MaxValue = Math.Max(1, value.Eligible);
        task.Value = value.Eligible == 0 ? 1 : value.Finished;
    }
}

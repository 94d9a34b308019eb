using System.Globalization;
using Archiver.Core.Ledger;

namespace Archiver.Worker.Output;

/// <summary>A run's progress as plain lines: one at its start, then one every few seconds.</summary>
internal sealed class PlainProgress(string title, string one, Terminal terminal, TimeProvider time) : IProgress<RunProgress>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private long? _last;

    public void Report(RunProgress value)
    {
        // Stages report at the same time. Nothing to do is what the summary says.
        lock (_lock)
        {
            if (value.Eligible == 0 || (_last is { } last && time.GetElapsedTime(last) < Interval))
                return;
            _last = time.GetTimestamp();
            var stages = value.Stored > value.Finished ? $" ({value.Stored} stored, {value.Verified} verified)" : "";
            terminal.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{title}: {value.Finished} of {Amount.Of(value.Eligible, one)}{stages}")
            );
        }
    }
}

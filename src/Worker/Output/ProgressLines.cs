using System.Globalization;
using Archiver.Core.Ledger;

namespace Archiver.Worker.Output;

/// <summary>A run's progress as plain lines: one at its start, then one every few seconds.</summary>
internal sealed class ProgressLines(string title, Terminal terminal, TimeProvider time) : IProgress<RunProgress>
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private long? _last;

    public void Report(RunProgress value)
    {
        if (_last is { } last && time.GetElapsedTime(last) < Interval)
            return;
        _last = time.GetTimestamp();
        terminal.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{title}: {value.Finished} of {Amount.Of(value.Eligible, "session")}"));
    }
}

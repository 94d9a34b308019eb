using Archiver.Core.Ledger;
using Spectre.Console;

namespace Archiver.Worker.Output;

/// <summary>
/// How far a run is: a bar on stderr where that is a terminal; otherwise now and then a plain line on stdout, above the summary, so that
/// stderr stays a log of JSON lines that programs can read.
/// </summary>
internal sealed class ProgressDisplay(Terminal terminal, TimeProvider time)
{
    /// <param name="title">What runs.</param>
    /// <param name="plain">Whether stdout is for people, so that lines may go there.</param>
    /// <param name="run">The run; it gets what it reports to.</param>
    /// <param name="one">What is counted.</param>
    public async Task<T> ShowAsync<T>(string title, bool plain, Func<IProgress<RunProgress>?, Task<T>> run, string one = "session")
    {
        if (!terminal.ErrorIsTerminal)
            return await run(plain ? new PlainProgress(title, one, terminal, time) : null);
        ProgressBar? bar = null;
        return await terminal
            .Screen.Progress()
            .AutoClear(true)
            .Columns(ProgressBar.Columns(() => bar))
            .StartAsync(context => run(bar = new ProgressBar(context.AddTask(Markup.Escape(title), autoStart: true, maxValue: 1), time)));
    }
}

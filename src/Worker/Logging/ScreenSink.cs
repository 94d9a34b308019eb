using System.Globalization;
using Archiver.Worker.Output;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;
using Spectre.Console;

namespace Archiver.Worker.Logging;

/// <summary>
/// Writes events to a terminal, above a progress bar that may be there. What a server said may quote what somebody wrote.
/// </summary>
/// <param name="formatter">The form of an event.</param>
/// <param name="screen">The one that the bar is drawn on.</param>
internal sealed class ScreenSink(ITextFormatter formatter, IAnsiConsole screen) : ILogEventSink
{
    public void Emit(LogEvent logEvent)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        formatter.Format(logEvent, text);
        screen.WriteLine(Printable.Lines(text.ToString().TrimEnd('\n')), Style(logEvent.Level));
    }

    private static Style Style(LogEventLevel level) =>
        level switch
        {
            LogEventLevel.Error or LogEventLevel.Fatal => new(Color.Red),
            LogEventLevel.Warning => new(Color.Yellow),
            _ => Spectre.Console.Style.Plain,
        };
}

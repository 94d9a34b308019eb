using System.Globalization;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;

namespace Archiver.Worker.Logging;

/// <summary>Writes each event whole: the library's own sink knows no other writer than the process's.</summary>
/// <param name="formatter">The form of an event.</param>
/// <param name="writer">Where it goes; must take calls from several threads.</param>
internal sealed class WriterSink(ITextFormatter formatter, TextWriter writer) : ILogEventSink
{
    public void Emit(LogEvent logEvent)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        formatter.Format(logEvent, text);
        writer.Write(text.ToString());
    }
}

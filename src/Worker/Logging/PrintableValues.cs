using Archiver.Worker.Output;
using Serilog.Data;
using Serilog.Events;

namespace Archiver.Worker.Logging;

/// <summary>
/// Values of events as a terminal may show them. Our own problems have several lines, so a line break stays one; what follows it is
/// indented, and cannot pass for an event.
/// </summary>
internal sealed class PrintableValues : LogEventPropertyValueRewriter<bool>
{
    public LogEventPropertyValue Of(LogEventPropertyValue value) => Visit(false, value);

    protected override LogEventPropertyValue VisitScalarValue(bool state, ScalarValue scalar) =>
        scalar.Value is string text ? new ScalarValue(Printable.Lines(text.Replace("\n", "\n    ", StringComparison.Ordinal))) : scalar;
}

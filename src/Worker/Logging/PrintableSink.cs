using Serilog.Core;
using Serilog.Events;

namespace Archiver.Worker.Logging;

/// <summary>Stands before a sink that may write to a terminal: an id may hold what steers one.</summary>
/// <param name="next">The sink behind it; ends with it.</param>
internal sealed class PrintableSink(ILogEventSink next) : ILogEventSink, IDisposable
{
    private static readonly PrintableValues Values = new();

    public void Emit(LogEvent logEvent) =>
        next.Emit(
            new(
                logEvent.Timestamp,
                logEvent.Level,
                logEvent.Exception,
                logEvent.MessageTemplate,
                // The text of an exception is printable already, and its lines are.
                logEvent.Properties.Select(p => new LogEventProperty(
                    p.Key,
                    p.Key == ExceptionText.Property ? p.Value : Values.Of(p.Value)
                )),
                logEvent.TraceId ?? default,
                logEvent.SpanId ?? default
            )
        );

    public void Dispose() => (next as IDisposable)?.Dispose();
}

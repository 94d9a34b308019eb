using Serilog.Core;
using Serilog.Events;

namespace Archiver.Worker.Logging;

/// <summary>
/// Stands before every sink, ours and those of the configuration: none of them sees an exception itself.
/// </summary>
/// <param name="next">The sink behind it; ends with it.</param>
internal sealed class DiscreetSink(ILogEventSink next) : ILogEventSink, IDisposable
{
    public void Emit(LogEvent logEvent)
    {
        if (logEvent.Exception is not { } exception)
        {
            next.Emit(logEvent);
            return;
        }
        var told = new DiscreetException(exception);
        var discreet = new LogEvent(
            logEvent.Timestamp,
            logEvent.Level,
            told,
            logEvent.MessageTemplate,
            logEvent.Properties.Select(p => new LogEventProperty(p.Key, p.Value)),
            logEvent.TraceId ?? default,
            logEvent.SpanId ?? default
        );
        discreet.AddOrUpdateProperty(new(ExceptionText.Property, new ScalarValue(told.ToString())));
        next.Emit(discreet);
    }

    public void Dispose() => (next as IDisposable)?.Dispose();
}

using System.Collections.Concurrent;
using Serilog;
using Serilog.Configuration;
using Serilog.Core;
using Serilog.Events;

namespace Archiver.Worker.Tests;

/// <summary>A sink that a configuration can name, as <c>Captured</c>; public because Serilog looks for it by that name.</summary>
public static class CapturedLog
{
    private static readonly ConcurrentDictionary<string, ConcurrentQueue<LogEvent>> Events = new(StringComparer.Ordinal);

    /// <summary>The events that the sink of that name got.</summary>
    public static IReadOnlyCollection<LogEvent> Of(string place) => Events.GetValueOrDefault(place) ?? [];

    /// <summary>A sink of section <c>Serilog:WriteTo</c>.</summary>
    public static LoggerConfiguration Captured(this LoggerSinkConfiguration sinks, string place) => sinks.Sink(new Sink(place));

    /// <summary>A sink of section <c>Serilog:AuditTo</c>.</summary>
    public static LoggerConfiguration Captured(this LoggerAuditSinkConfiguration sinks, string place) => sinks.Sink(new Sink(place));

    private sealed class Sink(string place) : ILogEventSink
    {
        public void Emit(LogEvent logEvent) => Events.GetOrAdd(place, _ => new()).Enqueue(logEvent);
    }
}

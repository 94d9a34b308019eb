using System.Collections.Concurrent;
using Archiver.Core.Pipelines;
using Microsoft.Extensions.Logging;

namespace Archiver.Testing;

/// <summary>Remembers what a run logged, for what a log is the only sign of.</summary>
public sealed class RecordedEvents : ILogger<PolicyRunner>
{
    private readonly ConcurrentBag<int> _ids = [];
    private readonly ConcurrentBag<string> _messages = [];

    /// <summary>Whether an event of that id was logged.</summary>
    public bool Has(int id) => _ids.Contains(id);

    /// <summary>The texts of all events, in no order.</summary>
    public IReadOnlyCollection<string> Messages => _messages;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        _ids.Add(eventId.Id);
        _messages.Add(formatter(state, exception));
    }
}

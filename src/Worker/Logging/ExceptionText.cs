using System.Text;
using Npgsql;
using Serilog.Core;
using Serilog.Events;

namespace Archiver.Worker.Logging;

/// <summary>
/// What the log says of an exception. Of an error of the database its code and where in this program it came up: message, hint and context
/// may quote a row, whatever the code.
/// </summary>
internal sealed class ExceptionText : ILogEventEnricher
{
    /// <summary>The event's property that has the text.</summary>
    public const string Property = "ExceptionText";

    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        if (logEvent.Exception is { } exception)
            logEvent.AddOrUpdateProperty(new(Property, new ScalarValue(Of(exception))));
    }

    /// <summary>Its message, if that can quote no row.</summary>
    public static string MessageOf(Exception exception) =>
        exception is PostgresException error ? $"{error.Severity} {error.SqlState}; the server's log has the message" : exception.Message;

    /// <summary>The exception and those inside it, each with its stack; ends with a line break.</summary>
    public static string Of(Exception exception)
    {
        var text = new StringBuilder();
        for (var at = exception; at is not null; at = at.InnerException)
        {
            text.Append(at.GetType()).Append(": ").AppendLine(MessageOf(at));
            if (at.StackTrace is { } stack)
                text.AppendLine(stack);
        }
        return text.ToString();
    }
}

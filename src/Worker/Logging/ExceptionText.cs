using System.Text;
using Npgsql;

namespace Archiver.Worker.Logging;

/// <summary>
/// What the log says of an exception. Of an error of the database its code and where in this program it came up: message, hint and context
/// may quote a row, whatever the code.
/// </summary>
internal static class ExceptionText
{
    /// <summary>The event's property that has the text.</summary>
    public const string Property = "ExceptionText";

    /// <summary>Its message, without what can quote a row.</summary>
    public static string MessageOf(Exception exception) =>
        exception is PostgresException error
            ? Code(error)
            // Several failures in one, and libraries, repeat the messages of what is inside them.
            : WithInner(exception)
                .OfType<PostgresException>()
                .Aggregate(exception.Message, (text, inner) => text.Replace(inner.Message, Code(inner), StringComparison.Ordinal));

    /// <summary>The exception and those inside it, each with its stack; ends with a line break.</summary>
    public static string Of(Exception exception)
    {
        if (exception is DiscreetException)
            return exception.ToString();
        var text = new StringBuilder();
        foreach (var at in WithInner(exception))
        {
            text.Append(at.GetType()).Append(": ").AppendLine(MessageOf(at));
            if (at.StackTrace is { } stack)
                text.AppendLine(stack);
        }
        return text.ToString();
    }

    private static IEnumerable<Exception> WithInner(Exception exception)
    {
        IEnumerable<Exception> inner = exception switch
        {
            AggregateException several => several.InnerExceptions,
            { InnerException: { } one } => [one],
            _ => [],
        };
        return inner.SelectMany(WithInner).Prepend(exception);
    }

    private static string Code(PostgresException error) => $"{error.Severity} {error.SqlState}; the server's log has the message";
}

using System.Globalization;
using System.Text.RegularExpressions;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;
using Serilog.Formatting.Json;

namespace Archiver.Worker.Logging;

/// <summary>
/// One event, one line of JSON in the field names of CLEF (docs/adr/0014 says why it is our own): @t time, @l level unless
/// Information, @i the stable event id, @m the message, @x the exception; then the message's properties by their own names.
/// </summary>
internal sealed partial class CompactJson : ITextFormatter
{
    private const string EventId = "EventId";

    private readonly MessageTemplateTextFormatter _message = new("{Message:lj}", CultureInfo.InvariantCulture);
    private readonly JsonValueFormatter _values = new("$type");

    public void Format(LogEvent logEvent, TextWriter output)
    {
        using var line = new StringWriter(CultureInfo.InvariantCulture);
        Write(logEvent, line);
        // Serilog leaves DEL and the C1 control characters as they are; an id may hold one, and a log is read on a terminal.
        output.Write(
            Control().Replace(line.ToString(), match => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)match.ValueSpan[0]:x4}"))
        );
    }

    private void Write(LogEvent logEvent, StringWriter output)
    {
        output.Write("{\"@t\":\"");
        output.Write(logEvent.Timestamp.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
        output.Write('"');
        if (logEvent.Level != LogEventLevel.Information)
            WriteText(output, "@l", logEvent.Level.ToString());
        if (IdOf(logEvent) is { } id)
        {
            output.Write(",\"@i\":");
            output.Write(id.ToString(CultureInfo.InvariantCulture));
        }
        using (var message = new StringWriter(CultureInfo.InvariantCulture))
        {
            _message.Format(logEvent, message);
            WriteText(output, "@m", message.ToString());
        }
        if (logEvent.Exception is { } exception)
            WriteText(output, "@x", ExceptionText.Of(exception));
        foreach (var (name, value) in logEvent.Properties.Where(p => p.Key is not (EventId or ExceptionText.Property)))
        {
            output.Write(',');
            JsonValueFormatter.WriteQuotedJsonString(name.StartsWith('@') ? $"@{name}" : name, output);
            output.Write(':');
            _values.Format(value, output);
        }
        output.Write("}\n");
    }

    private static int? IdOf(LogEvent logEvent) =>
        logEvent.Properties.TryGetValue(EventId, out var value)
        && value is StructureValue structure
        && structure.Properties.FirstOrDefault(p => p.Name == "Id")?.Value is ScalarValue { Value: int id }
            ? id
            : null;

    private static void WriteText(TextWriter output, string name, string text)
    {
        output.Write($",\"{name}\":");
        JsonValueFormatter.WriteQuotedJsonString(text, output);
    }

    [GeneratedRegex(@"[\u007F-\u009F]")]
    private static partial Regex Control();
}

using System.Globalization;
using Archiver.Worker.Logging;
using Serilog.Events;
using Serilog.Parsing;

namespace Archiver.Worker.Tests;

/// <summary>The form of a line of the log, which users' programs read: it stays as it is.</summary>
public sealed class CompactJsonTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 21, 3, 0, 0, 123, TimeSpan.FromHours(1));

    [Fact]
    public void An_event_is_one_line_with_time_id_message_and_its_values_by_name() =>
        Assert.Equal(
            """
            {"@t":"2026-11-21T02:00:00.1230000Z","@i":1001,"@m":"Run \"0193a0b0-0000-7000-8000-000000000000\" of main/idle ended 3 of 4.5 [\"a\"]","RunId":"0193a0b0-0000-7000-8000-000000000000","Policy":"main/idle","Count":3,"All":4.5,"Names":["a"]}

            """,
            Written(
                LogEventLevel.Information,
                null,
                "Run {RunId} of {Policy} ended {Count} of {All} {Names}",
                ("RunId", new ScalarValue(Guid.Parse("0193a0b0-0000-7000-8000-000000000000"))),
                ("Policy", new ScalarValue("main/idle")),
                ("Count", new ScalarValue(3)),
                ("All", new ScalarValue(4.5)),
                ("Names", new SequenceValue([new ScalarValue("a")])),
                ("EventId", new StructureValue([new("Id", new ScalarValue(1001)), new("Name", new ScalarValue("RunEnded"))]))
            )
        );

    [Fact]
    public void Levels_other_than_information_are_named_and_exceptions_are_told_once() =>
        Assert.Equal(
            """
            {"@t":"2026-11-21T02:00:00.1230000Z","@l":"Error","@m":"It broke","@x":"System.IO.IOException: cut off\n"}

            """,
            Written(LogEventLevel.Error, new IOException("cut off"), "It broke", ("ExceptionText", new ScalarValue("said already")))
        );

    [Fact]
    public void Nothing_in_a_value_can_end_the_line_move_a_cursor_or_take_the_name_of_a_field() =>
        Assert.Equal(
            """
            {"@t":"2026-11-21T02:00:00.1230000Z","@m":"id a\n\u001B[2J\u009b\u007f\"","Id":"a\n\u001B[2J\u009b\u007f\"","@@t":1}

            """,
            Written(
                LogEventLevel.Information,
                null,
                "id {Id}",
                ("Id", new ScalarValue("a\n\u001b[2J\u009b\u007f\"")),
                ("@t", new ScalarValue(1))
            )
        );

    private static string Written(
        LogEventLevel level,
        Exception? exception,
        string template,
        params (string Name, LogEventPropertyValue Value)[] properties
    )
    {
        using var line = new StringWriter(CultureInfo.InvariantCulture);
        new CompactJson().Format(
            new LogEvent(
                At,
                level,
                exception,
                new MessageTemplateParser().Parse(template),
                properties.Select(p => new LogEventProperty(p.Name, p.Value))
            ),
            line
        );
        return line.ToString();
    }
}

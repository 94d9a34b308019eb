using System.Globalization;
using System.Net;
using System.Text.Json;
using Archiver.Testing;
using Archiver.Worker.Logging;
using Archiver.Worker.Output;
using Archiver.Worker.Tests.Http;
using Microsoft.Extensions.Configuration;
using Npgsql;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Display;
using Spectre.Console;

namespace Archiver.Worker.Tests;

/// <summary>Where the log goes: once, and never among the data; and what it never holds, wherever it goes.</summary>
public sealed class LogSinkTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Serilog__WriteTo__0__Name")]
    [InlineData("Serilog__WriteTo__0")]
    public async Task A_configured_console_takes_the_place_of_the_built_in_one_and_writes_to_stderr(string key)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 1);
        await using var process = archiver.Start(new Dictionary<string, string?> { [key] = "Console" }, "archive", "--json");

        var result = await process.WaitForExitAsync(Token);

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Single(JsonDocument.Parse(result.Output).RootElement.EnumerateArray());
        Assert.Single(result.Error.Split('\n'), l => l.Contains("main/idle started", StringComparison.Ordinal));
        Assert.DoesNotContain("\"@t\"", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("WriteTo", null, "Verbose")]
    [InlineData("AuditTo", null, "Verbose")]
    [InlineData("AuditTo", "Fatal", "Fatal")]
    public void A_console_of_the_configuration_writes_to_stderr_unless_it_says_otherwise(string section, string? from, string expected)
    {
        var level = $"Serilog:{section}:0:Args:standardErrorFromLevel";
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { [$"Serilog:{section}:0:Name"] = "Console", [level] = from })
            .Build();

        Assert.Equal(expected, ConfiguredSinks.Complete(configuration)[level]);
    }

    /// <summary>The server opens a scope for each request, with its path and its id.</summary>
    [Fact]
    public async Task A_line_that_is_written_during_a_request_holds_nothing_of_its_path()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 1, young: 0);
        archiver.With("Http:ApiKey", HttpFixture.Key).With("Sources:main:Policies:idle:Cron", "0 0 2 1 1 ?");
        await using var worker = await RunningWorker.InvokeAsync(archiver, Token);

        Assert.Equal(HttpStatusCode.Unauthorized, await worker.GetAsync("/archives/secret-id?user=secret-user", Token));
        await worker.LoggedAsync(7000, Token);

        Assert.DoesNotContain("secret", worker.Log, StringComparison.Ordinal);
        var refusal = worker.Events.Single(e => e.TryGetProperty("@i", out var id) && id.GetInt32() == 7000);
        Assert.Equal(
            ["@i", "@l", "@m", "@t", "Address", "Count", "Reason", "SourceContext"],
            refusal.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("WriteTo")]
    [InlineData("AuditTo")]
    public void A_configured_sink_gets_no_word_of_an_error_of_the_database_and_what_else_its_section_says(string section)
    {
        var error = new PostgresException(
            "my secret",
            "ERROR",
            "ERROR",
            "22P02",
            detail: "my secret",
            hint: "my secret",
            where: "my secret"
        );
        var events = Sunk(
            section,
            log =>
            {
                log.Error(new InvalidOperationException("outer", error), "It broke");
                log.Information("Too low for this configuration");
                log.ForContext(Constants.SourceContextPropertyName, "Loud.Library").Error("Too low for this library");
            },
            ("MinimumLevel:Default", "Warning"),
            ("MinimumLevel:Override:Loud", "Fatal"),
            ("Properties:Place", "here")
        );

        var got = Assert.Single(events);
        var said = Written(got, "{Message}{NewLine}{Exception}{Properties}") + got.Exception!.Message + got.Exception.InnerException;
        Assert.DoesNotContain("my secret", said, StringComparison.Ordinal);
        Assert.Contains(
            "It broke\nSystem.InvalidOperationException: outer\nNpgsql.PostgresException: ERROR 22P02",
            said,
            StringComparison.Ordinal
        );
        Assert.Contains("Place: \"here\"", said, StringComparison.Ordinal);
    }

    [Fact]
    public void On_a_terminal_an_id_can_move_no_cursor_and_begin_no_line()
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        var screen = AnsiConsole.Create(
            new()
            {
                Ansi = AnsiSupport.No,
                ColorSystem = ColorSystemSupport.NoColors,
                Out = new AnsiConsoleOutput(text),
            }
        );
        using (var log = new LoggerConfiguration().WriteTo.Sink(new DiscreetSink(LogSetup.Screen(screen))).CreateLogger())
            LogOddId(log);

        var (head, rest) = (text.ToString()[..9], text.ToString()[9..]);
        Assert.Matches("[0-9]{2}:[0-9]{2}:[0-9]{2} ", head);
        Assert.Equal(
            """
            WRN Session a\u001B[2J\u009B
                12:00:00 INF b failed: ["c\\u0007"]
            System.IO.IOException: \u001B[2J

            """,
            rest
        );
    }

    [Fact]
    public void A_configured_sink_gets_no_control_character_of_an_id()
    {
        var got = Assert.Single(Sunk("WriteTo", LogOddId));

        Assert.Equal(
            """
            Session a\u001B[2J\u009B
                12:00:00 INF b failed: ["c\\u0007"]
            System.IO.IOException: \u001B[2J

            """,
            Written(got, "{Message:lj}{NewLine}{Exception}").TrimEnd('\n') + "\n"
        );
    }

    private static void LogOddId(Logger log) =>
        log.Warning(
            new IOException("\u001b[2J"),
            "Session {SessionId} failed: {Reasons}",
            "a\u001b[2J\u009b\n12:00:00 INF b",
            new[] { "c\u0007" }
        );

    private static string Written(LogEvent logEvent, string template)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        new MessageTemplateTextFormatter(template, CultureInfo.InvariantCulture).Format(logEvent, text);
        return text.ToString();
    }

    /// <summary>What a sink of that section of the configuration gets.</summary>
    private static IReadOnlyCollection<LogEvent> Sunk(string section, Action<Logger> write, params (string Key, string Value)[] more)
    {
        var place = Guid.NewGuid().ToString();
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                more.Append(("Using:tests", typeof(CapturedLog).Assembly.GetName().Name!))
                    .Append(($"{section}:0:Name", nameof(CapturedLog.Captured)))
                    .Append(($"{section}:0:Args:place", place))
                    .Select(s => KeyValuePair.Create($"Serilog:{s.Item1}", (string?)s.Item2))
            )
            .Build();
        var terminal = new Terminal(Stream.Null, Stream.Null, Stream.Null, outputIsTerminal: false, errorIsTerminal: false);
        using (var log = LogSetup.Create(configuration, terminal, quiet: false))
            write(log);
        return CapturedLog.Of(place);
    }
}

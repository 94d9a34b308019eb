using System.Globalization;
using System.Text.Json;
using Archiver.Testing;
using Archiver.Worker.Logging;
using Serilog;
using Serilog.Formatting.Display;
using Spectre.Console;

namespace Archiver.Worker.Tests;

/// <summary>Where the log goes: once, and never among the data.</summary>
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

    [Fact]
    public void What_a_server_said_does_not_steer_the_terminal()
    {
        using var written = new StringWriter();
        var screen = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(written) });
        var form = new MessageTemplateTextFormatter("{Message:lj}{NewLine}", CultureInfo.InvariantCulture);
        using var log = new LoggerConfiguration().WriteTo.Sink(new ScreenSink(form, screen)).CreateLogger();

        log.Warning("The server said: {Said}", "\u001b]0;owned\u0007 \u009b2J");

        Assert.Equal("The server said: \\u001B]0;owned\\u0007 \\u009B2J", written.ToString().TrimEnd());
    }
}

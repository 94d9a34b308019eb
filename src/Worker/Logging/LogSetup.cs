using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Worker.Output;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Display;
using Spectre.Console;

namespace Archiver.Worker.Logging;

/// <summary>
/// The log, on stderr: readable text on a terminal, compact JSON otherwise. Levels come from section <c>Serilog</c>; sinks that it names
/// take the place of ours.
/// </summary>
internal static class LogSetup
{
    private const string Text = "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj}{NewLine}{ExceptionText:l}";

    /// <param name="configuration">Its section Serilog may set levels and sinks.</param>
    /// <param name="terminal">Where stderr leads.</param>
    /// <param name="quiet">
    /// A verb that a person called, not the worker: on a terminal only warnings, below its progress bar and its summary.
    /// </param>
    public static Logger Create(IConfiguration configuration, Terminal terminal, bool quiet)
    {
        var logger = new LoggerConfiguration()
            .MinimumLevel.Is(quiet && terminal.ErrorIsTerminal ? LogEventLevel.Warning : LogEventLevel.Information)
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("Quartz", LogEventLevel.Warning)
            // A clustered schedule whose database is away repeats itself by the thousand lines; health and readiness say it once.
            .MinimumLevel.Override("Quartz.Impl.AdoJobStore", LogEventLevel.Fatal);
        try
        {
            // Without the section there is nothing to read, but it would look through the folder's assemblies for sinks.
            if (configuration.GetSection("Serilog").Exists())
                logger.ReadFrom.Configuration(ConfiguredSinks.Levels(configuration));
            var target = new DiscreetSink(
                ConfiguredSinks.Target(configuration, () =>
                    terminal.ErrorIsTerminal ? Screen(terminal.Screen) : new WriterSink(new CompactJson(), terminal.Error)
                )
            );
            return (ConfiguredSinks.Audits(configuration) ? logger.AuditTo.Sink(target) : logger.WriteTo.Sink(target)).CreateLogger();
        }
        catch (Exception exception) when (exception is InvalidOperationException or FormatException or ArgumentException)
        {
            throw new ArchiverException(FailureKind.Configuration, $"Section Serilog: {exception.Message}", exception);
        }
    }

    /// <summary>The log as a person reads it.</summary>
    public static ILogEventSink Screen(IAnsiConsole screen) =>
        new PrintableSink(new ScreenSink(new MessageTemplateTextFormatter(Text, CultureInfo.InvariantCulture), screen));
}

using Serilog;
using Serilog.Core;

namespace Archiver.Worker.Logging;

/// <summary>The sinks that section <c>Serilog</c> names, and what it adds to events.</summary>
internal static class ConfiguredSinks
{
    private const string Section = "Serilog",
        WriteTo = $"{Section}:WriteTo",
        AuditTo = $"{Section}:AuditTo",
        Console = "Console",
        FromLevel = "Args:standardErrorFromLevel";

    /// <summary>Parts of the section that see events, which must be discreet by then.</summary>
    private static readonly string[] EventSections = [WriteTo, AuditTo, $"{Section}:Enrich", $"{Section}:Properties", $"{Section}:Filter"];

    /// <summary>Whether a sink of the section may fail the one who logs; Serilog keeps that from every other sink.</summary>
    public static bool Audits(IConfiguration configuration) => Names(configuration, AuditTo);

    /// <summary>The section's levels, without the parts that see events.</summary>
    public static IConfiguration Levels(IConfiguration configuration) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(
                Complete(configuration)
                    .GetSection(Section)
                    .AsEnumerable()
                    .Where(p => p.Value is not null && !EventSections.Any(b => IsWithin(b, p.Key)))
            )
            .Build();

    /// <summary>
    /// Where events go whose level was looked at: to the section's sinks, or to ours where it names none, with what it adds to them.
    /// </summary>
    public static ILogEventSink Target(IConfiguration configuration, Func<ILogEventSink> ours)
    {
        if (!EventSections.Any(b => Names(configuration, b)))
            return ours();
        var logger = new LoggerConfiguration().ReadFrom.Configuration(Complete(configuration)).MinimumLevel.Verbose();
        // Both would write each line twice.
        if (!Names(configuration, WriteTo))
            logger.WriteTo.Sink(ours());
        return Names(configuration, WriteTo) || Audits(configuration) ? new PrintableSink(logger.CreateLogger()) : logger.CreateLogger();
    }

    /// <summary>
    /// The configuration with what makes its sinks work here. Console sinks write to stderr where they do not say otherwise: their own
    /// default is stdout, and among a command's data a line of the log would be taken for some. And Serilog is told of its console: in a
    /// single-file executable it finds no assemblies by itself, and refuses any configuration.
    /// </summary>
    public static IConfiguration Complete(IConfiguration configuration)
    {
        Dictionary<string, string?> more = new()
        {
            [$"{Section}:Using:console"] = typeof(ConsoleLoggerConfigurationExtensions).Assembly.GetName().Name,
        };
        foreach (
            var sink in new[] { WriteTo, AuditTo }
                .SelectMany(s => configuration.GetSection(s).GetChildren())
                .Where(s => (s["Name"] ?? s.Value) == Console && s[FromLevel] is null)
        )
        {
            // "WriteTo": ["Console"] has no place for arguments.
            if (sink.Value is not null)
                (more[sink.Path], more[$"{sink.Path}:Name"]) = (null, Console);
            more[$"{sink.Path}:{FromLevel}"] = "Verbose";
        }
        return new ConfigurationBuilder().AddConfiguration(configuration).AddInMemoryCollection(more).Build();
    }

    private static bool Names(IConfiguration configuration, string section) => configuration.GetSection(section).GetChildren().Any();

    private static bool IsWithin(string section, string key) => $"{key}:".StartsWith($"{section}:", StringComparison.OrdinalIgnoreCase);
}

namespace Archiver.Worker.Logging;

/// <summary>The sinks that section <c>Serilog:WriteTo</c> names.</summary>
internal static class ConfiguredSinks
{
    private const string Section = "Serilog:WriteTo",
        Console = "Console",
        FromLevel = "Args:standardErrorFromLevel";

    public static bool Any(IConfiguration configuration) => configuration.GetSection(Section).GetChildren().Any();

    /// <summary>
    /// The configuration with what makes its sinks work here. Console sinks write to stderr where they do not say otherwise: their own
    /// default is stdout, and among a command's data a line of the log would be taken for some. And Serilog is told of its console: in a
    /// single-file executable it finds no assemblies by itself, and refuses any configuration.
    /// </summary>
    public static IConfiguration Complete(IConfiguration configuration)
    {
        Dictionary<string, string?> more = new()
        {
            ["Serilog:Using:console"] = typeof(Serilog.ConsoleLoggerConfigurationExtensions).Assembly.GetName().Name,
        };
        foreach (
            var sink in configuration
                .GetSection(Section)
                .GetChildren()
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
}

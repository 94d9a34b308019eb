using System.Text.Json;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;
using Microsoft.Extensions.Configuration.Json;

namespace Archiver.Worker.Configuration;

/// <summary>
/// Where settings come from, later ones over earlier, key by key: appsettings.json and appsettings.{Environment}.json beside the
/// executable, then the same two in the current folder, or the one file of --config instead of those; environment variables; command line.
/// The environment's name is DOTNET_ENVIRONMENT or ASPNETCORE_ENVIRONMENT, else Production.
/// </summary>
internal static class ConfigurationFiles
{
    /// <exception cref="ArchiverException">A file is missing or not JSON, or a variable stands where the section is.</exception>
    public static IConfiguration Load(string? config, string[] settings, ProcessEnvironment environment)
    {
        var file = config is null ? null : environment.FullPath(config);
        if (file is not null && !File.Exists(file))
            throw new ArchiverException(FailureKind.Configuration, $"The configuration file {file} does not exist (--config).");
        var builder = new ConfigurationBuilder();
        AddFolder(builder, AppContext.BaseDirectory, environment);
        if (file is not null)
            builder.AddJsonFile(file, optional: false, reloadOnChange: false);
        else if (!SameFolder(environment.Folder, AppContext.BaseDirectory))
            AddFolder(builder, environment.Folder, environment);
        try
        {
            EnvironmentVariables.Check(environment);
            var configuration = builder.AddInMemoryCollection(EnvironmentVariables.Keys(environment)).AddCommandLine(settings).Build();
            return configuration.GetSection(ArchiverConfiguration.SectionName).Exists() ? configuration : throw Nothing(builder);
        }
        catch (Exception exception)
            when (exception is InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new ArchiverException(FailureKind.Configuration, $"{exception.Message} {Cause(exception)}", exception);
        }
    }

    private static void AddFolder(ConfigurationBuilder builder, string folder, ProcessEnvironment environment)
    {
        var name = environment["DOTNET_ENVIRONMENT"] ?? environment["ASPNETCORE_ENVIRONMENT"] ?? "Production";
        builder.AddJsonFile(Path.Combine(folder, "appsettings.json"), optional: true, reloadOnChange: false);
        builder.AddJsonFile(Path.Combine(folder, $"appsettings.{name}.json"), optional: true, reloadOnChange: false);
    }

    /// <summary>The first thing that a new user sees: it says where a configuration would have been found.</summary>
    private static ArchiverException Nothing(ConfigurationBuilder builder)
    {
        var files = builder
            .Sources.OfType<JsonConfigurationSource>()
            .Select(s =>
                (
                    Path: s.FileProvider?.GetFileInfo(s.Path!).PhysicalPath ?? s.Path!,
                    Missing: s.FileProvider?.GetFileInfo(s.Path!).Exists != true
                )
            )
            .Select(f => $"\n  {f.Path}{(f.Missing ? " (not there)" : " (has no such section)")}");
        return new(
            FailureKind.Configuration,
            $"No configuration was found: nothing has a section {ArchiverConfiguration.SectionName}. Looked at:{string.Concat(files)}\n  "
                + "environment variables such as Archiver__Storage__Bucket\n"
                + "Write a file as the README's first configuration shows, and name it with --config <file> or start the archiver in its "
                + "folder."
        );
    }

    /// <summary>Where a file is not JSON. Not the parser's own words: they quote the file, which may have a secret there.</summary>
    private static string Cause(Exception exception)
    {
        for (var inner = exception.InnerException; inner is not null; inner = inner.InnerException)
        {
            if (inner is JsonException { LineNumber: { } line, BytePositionInLine: { } column })
                return $"It is not valid JSON at line {line + 1}, column {column + 1}: look for a comma, quote, colon or bracket that is "
                    + "missing or too many there or just before.";
        }
        return exception.InnerException?.Message ?? "";
    }

    private static bool SameFolder(string a, string b) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(a)) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(b));
}

using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;

namespace Archiver.Worker.Configuration;

/// <summary>
/// Where settings come from, later ones over earlier, key by key: appsettings.json and appsettings.{Environment}.json beside the executable,
/// then the same two in the current folder, or the one file of --config instead of those; environment variables; command line.
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
            return builder.AddInMemoryCollection(Keys(environment)).AddCommandLine(settings).Build();
        }
        catch (Exception exception) when (exception is InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            var cause = exception.InnerException is { } inner ? $" {inner.Message}" : "";
            throw new ArchiverException(FailureKind.Configuration, $"{exception.Message}{cause}", exception);
        }
    }

    private static void AddFolder(ConfigurationBuilder builder, string folder, ProcessEnvironment environment)
    {
        var name = environment["DOTNET_ENVIRONMENT"] ?? environment["ASPNETCORE_ENVIRONMENT"] ?? "Production";
        builder.AddJsonFile(Path.Combine(folder, "appsettings.json"), optional: true, reloadOnChange: false);
        builder.AddJsonFile(Path.Combine(folder, $"appsettings.{name}.json"), optional: true, reloadOnChange: false);
    }

    /// <summary>The variables as keys. The library's own source of variables reads those of the process.</summary>
    private static Dictionary<string, string?> Keys(ProcessEnvironment environment)
    {
        if (environment.Variables.Keys.FirstOrDefault(n => n.Equals(ArchiverConfiguration.SectionName, StringComparison.OrdinalIgnoreCase)) is { } bare)
            throw new ArchiverException(FailureKind.Configuration,
                $"The environment variable {bare} is set. It would be the whole section {ArchiverConfiguration.SectionName} of the configuration, which is no single value: unset it, or name a key, such as Archiver__Storage__Bucket.");
        // Keys differ in more than case; of variables that do not, one counts.
        Dictionary<string, string?> keys = new(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in environment.Variables)
            keys[name.Replace("__", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal)] = value;
        return keys;
    }

    private static bool SameFolder(string a, string b) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(a)) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(b));
}

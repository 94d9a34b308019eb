using Archiver.Core.Diagnostics;

namespace Archiver.Worker.Configuration;

/// <summary>
/// Where settings come from, later ones over earlier, key by key: appsettings.json and appsettings.{Environment}.json beside the executable,
/// then the same two in the current folder, or the one file of --config instead of those; environment variables; command line.
/// The environment's name is DOTNET_ENVIRONMENT or ASPNETCORE_ENVIRONMENT, else Production.
/// </summary>
internal static class ConfigurationFiles
{
    /// <exception cref="ArchiverException">A file is missing or not JSON.</exception>
    public static IConfiguration Load(FileInfo? config, string[] settings)
    {
        if (config is { Exists: false })
            throw new ArchiverException(FailureKind.Configuration, $"The configuration file {config.FullName} does not exist (--config).");
        var builder = new ConfigurationBuilder();
        AddFolder(builder, AppContext.BaseDirectory);
        if (config is not null)
            builder.AddJsonFile(config.FullName, optional: false, reloadOnChange: false);
        else if (!SameFolder(Environment.CurrentDirectory, AppContext.BaseDirectory))
            AddFolder(builder, Environment.CurrentDirectory);
        try
        {
            return builder.AddEnvironmentVariables().AddCommandLine(settings).Build();
        }
        catch (Exception exception) when (exception is InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            var cause = exception.InnerException is { } inner ? $" {inner.Message}" : "";
            throw new ArchiverException(FailureKind.Configuration, $"{exception.Message}{cause}", exception);
        }
    }

    private static void AddFolder(ConfigurationBuilder builder, string folder)
    {
        var environment = Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") ?? Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") ?? "Production";
        builder.AddJsonFile(Path.Combine(folder, "appsettings.json"), optional: true, reloadOnChange: false);
        builder.AddJsonFile(Path.Combine(folder, $"appsettings.{environment}.json"), optional: true, reloadOnChange: false);
    }

    private static bool SameFolder(string a, string b) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(a)) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(b));
}

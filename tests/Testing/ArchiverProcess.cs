using System.Collections;

namespace Archiver.Testing;

/// <summary>Runs the built executable <c>archiver</c>, as a user would.</summary>
public static class ArchiverProcess
{
    private static readonly string[] OwnPrefixes = ["ARCHIVER_", "Archiver__", "Quartz__", "OTEL_", "DOTNET_ENVIRONMENT", "ASPNETCORE_"];

    /// <summary>Starts it and leaves it running; dispose it to end it.</summary>
    /// <param name="arguments">Verb and options.</param>
    /// <param name="environment">Its configuration, such as <c>Archiver__Storage__Bucket</c>. Variables of this process that would configure it are not handed on.</param>
    /// <param name="input">Its stdin.</param>
    /// <param name="folder">Its working folder; the temporary one unless told.</param>
    public static ChildProcess Start(
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null,
        string input = "",
        string? folder = null)
    {
        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        string[] all = [Repository.BuildOutput(Path.Combine("src", "Worker"), "archiver.dll"), .. arguments];
        return ChildProcess.Start(host, all, WithoutOurOwn(environment), input, folder);
    }

    /// <summary>Runs it to its end; cancelling kills it.</summary>
    public static async Task<ProcessResult> RunAsync(
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?>? environment,
        CancellationToken cancellationToken,
        string input = "",
        string? folder = null)
    {
        await using var process = Start(arguments, environment, input, folder);
        return await process.WaitForExitAsync(cancellationToken);
    }

    /// <summary>Those variables, and without whatever of this process's own would configure the executable.</summary>
    public static Dictionary<string, string?> WithoutOurOwn(IReadOnlyDictionary<string, string?>? environment)
    {
        Dictionary<string, string?> all = [];
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (variable.Key is string name && OwnPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)))
                all[name] = null;
        }
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
            all[name] = value;
        return all;
    }
}

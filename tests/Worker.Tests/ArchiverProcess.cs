using System.Collections;
using System.Text;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Archiver.Worker.Configuration;

namespace Archiver.Worker.Tests;

/// <summary>
/// Runs <c>archiver</c> as a user would: in this process where only its code counts, as the executable where the process itself does.
/// </summary>
internal static class ArchiverProcess
{
    /// <summary>
    /// What configures the archiver through the invocation; any other variable reaches a library or the runtime through the process only.
    /// </summary>
    private static readonly string[] OwnPrefixes =
    [
        "ARCHIVER_",
        "Archiver__",
        "Serilog__",
        "Quartz__",
        "OTEL_",
        "DOTNET_ENVIRONMENT",
        "ASPNETCORE_",
    ];

    /// <summary>
    /// Whether every verb is to be run as the executable, so that its native code is tried with all that the tests ask of the verbs; not
    /// where a test injects a fault into its own process.
    /// </summary>
    public static readonly bool AlwaysProcess = Environment.GetEnvironmentVariable("ARCHIVER_TEST_PROCESSES") is not null;

    /// <summary>Starts the executable and leaves it running; dispose it to end it.</summary>
    /// <param name="arguments">Verb and options.</param>
    /// <param name="environment">
    /// Its configuration, such as <c>Archiver__Storage__Bucket</c>. Variables of this process that would configure it are not handed on.
    /// </param>
    /// <param name="input">Its stdin.</param>
    /// <param name="folder">Its working folder; the temporary one unless told.</param>
    public static ChildProcess Start(
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null,
        string input = "",
        string? folder = null
    ) => ChildProcess.Start(ArchiverExecutable.Path, arguments, WithoutOurOwn(environment), input, folder);

    /// <summary>Runs a verb to its end, in this process unless a variable is one that only a process has; cancelling stops it.</summary>
    /// <inheritdoc cref="Start"/>
    public static async Task<ProcessResult> RunAsync(
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string?>? environment,
        CancellationToken cancellationToken,
        string input = "",
        string? folder = null
    )
    {
        if (!NeedsProcess(environment))
        {
            await using var stdin = new MemoryStream(Encoding.UTF8.GetBytes(input));
            await using var invocation = Invocation.Start(arguments, Variables(environment), stdin, folder);
            return await invocation.WaitForEndAsync(cancellationToken);
        }
        await using var process = Start(arguments, environment, input, folder);
        return await process.WaitForExitAsync(cancellationToken);
    }

    /// <summary>Whether <see cref="RunAsync"/> starts the executable.</summary>
    public static bool NeedsProcess(IReadOnlyDictionary<string, string?>? environment) =>
        (AlwaysProcess && !InProcessFault.IsSet) || environment?.Keys.All(IsOurOwn) is false;

    /// <summary>Those variables, and without whatever of this process's own would configure the executable.</summary>
    public static Dictionary<string, string?> WithoutOurOwn(IReadOnlyDictionary<string, string?>? environment)
    {
        Dictionary<string, string?> all = [];
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (variable.Key is string name && IsOurOwn(name))
                all[name] = null;
        }
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
            all[name] = value;
        return all;
    }

    /// <summary>All variables of a process that would be started with those.</summary>
    public static IReadOnlyDictionary<string, string> Variables(IReadOnlyDictionary<string, string?>? environment)
    {
        var all = ProcessEnvironment.OfProcess().Variables.ToDictionary(StringComparer.Ordinal);
        foreach (var (name, value) in WithoutOurOwn(environment))
        {
            all.Remove(name);
            if (value is not null)
                all[name] = value;
        }
        return all;
    }

    private static bool IsOurOwn(string variable) =>
        OwnPrefixes.Any(prefix => variable.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}

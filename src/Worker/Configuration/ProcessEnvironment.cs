using System.Collections;

namespace Archiver.Worker.Configuration;

/// <summary>
/// What a process gives to one invocation beside arguments and streams. Nothing of ours asks the process itself, so that invocations with
/// different environments can share one. Libraries do: Npgsql its <c>PG...</c> variables, the AWS SDK its <c>AWS_...</c>, the runtime
/// <c>TMPDIR</c>.
/// </summary>
/// <param name="Variables">Environment variables.</param>
/// <param name="Folder">The working folder, absolute; relative paths start there.</param>
/// <param name="ErrorIsTerminal">
/// Whether a person watches stderr, on a terminal that can move its cursor. Then stderr is that of the process.
/// </param>
internal sealed record ProcessEnvironment(IReadOnlyDictionary<string, string> Variables, string Folder, bool ErrorIsTerminal)
{
    /// <summary>Whether somebody sits there who can be asked: stdin is a terminal, too.</summary>
    public bool IsAsked { get; init; }

    /// <summary>Whether stdout is a terminal.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>That of the process as it is now.</summary>
    public static ProcessEnvironment OfProcess()
    {
        var variables = Environment
            .GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .ToDictionary(v => (string)v.Key, v => (string?)v.Value ?? "", StringComparer.Ordinal);
        return new(
            variables,
            Environment.CurrentDirectory,
            !Console.IsErrorRedirected && variables.GetValueOrDefault("TERM") is not (null or "" or "dumb")
        )
        {
            OutputIsTerminal = !Console.IsOutputRedirected,
            IsAsked = !Console.IsInputRedirected && !Console.IsErrorRedirected,
        };
    }

    /// <summary>A variable's value; null when it is not set.</summary>
    public string? this[string variable] => Variables.GetValueOrDefault(variable);

    /// <summary>That path, from the working folder on.</summary>
    public string FullPath(string path) => Path.GetFullPath(path, Folder);
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;

namespace Archiver.Worker.Configuration;

/// <summary>
/// The manual trigger by environment: <c>ARCHIVER_TRIGGER</c> says what to run once (archive, true or 1; purge; expire; all;
/// source/policy), <c>ARCHIVER_TRIGGER_EXIT=false</c> that the process then goes on as a worker.
/// </summary>
internal sealed class Trigger
{
    public const string Variable = "ARCHIVER_TRIGGER";

    private const string ExitVariable = "ARCHIVER_TRIGGER_EXIT";

    /// <summary>The variables that it reads.</summary>
    public static IReadOnlyList<string> Variables { get; } = [Variable, ExitVariable];

    private readonly Func<Policy, bool>? _chosen;

    /// <exception cref="ArchiverException">
    /// A variable has no known value, or nothing is configured that it would run; kind Configuration.
    /// </exception>
    public Trigger(IConfiguration configuration, ArchiverSettings settings)
    {
        var value = configuration[Variable]?.Trim() ?? "";
        _chosen = value.ToLowerInvariant() switch
        {
            "" or "false" or "0" => null,
            "archive" or "true" or "1" => p => p.Action == PolicyAction.Archive,
            "purge" => p => p.Action == PolicyAction.Purge,
            "expire" => p => p.Action == PolicyAction.Expire,
            "all" => _ => true,
            _ => p => Names.Same(p.FullName, value),
        };
        if (_chosen is not null && !settings.Sources.SelectMany(s => s.Policies).Any(_chosen))
            throw new ArchiverException(
                FailureKind.Configuration,
                $"{Variable} is '{value}', which no configured policy answers to. It takes archive, purge, expire, all, or one of: "
                    + $"{string.Join(", ", settings.Sources.SelectMany(s => s.Policies).Select(p => p.FullName))}."
            );
        Exits = (configuration[ExitVariable]?.Trim().ToLowerInvariant() ?? "") switch
        {
            "" or "true" or "1" => true,
            "false" or "0" => false,
            var other => throw new ArchiverException(FailureKind.Configuration, $"{ExitVariable} must be true or false, but is '{other}'."),
        };
    }

    /// <summary>Whether anything is triggered.</summary>
    public bool IsSet => _chosen is not null;

    /// <summary>Whether the process ends with the outcome.</summary>
    public bool Exits { get; }

    /// <summary>What is triggered of a source.</summary>
    public IEnumerable<Policy> Policies(SourceSettings source) => _chosen is null ? [] : source.Policies.Where(_chosen);
}

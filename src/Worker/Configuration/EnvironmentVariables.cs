using System.Text.RegularExpressions;
using Archiver.Core.Configuration;
using Archiver.Core.Diagnostics;

namespace Archiver.Worker.Configuration;

/// <summary>The environment's variables as settings. The library's own source of variables reads those of the process.</summary>
internal static partial class EnvironmentVariables
{
    /// <summary>What the scripts and tests of this repository understand; whoever runs them has these set.</summary>
    private static readonly string[] OfScripts =
    [
        "ARCHIVER_TEST_",
        "ARCHIVER_PROOF_",
        "ARCHIVER_DEMO_",
        "ARCHIVER_SAMPLE_",
        "ARCHIVER_SCREENSHOTS",
        "ARCHIVER_WRITE_SCHEMA",
    ];

    /// <summary>Refuses what looks like ours and is read by nobody: a misspelled trigger would start a worker instead of one run.</summary>
    /// <exception cref="ArchiverException">It names the variable and what may have been meant; kind Configuration.</exception>
    public static void Check(ProcessEnvironment environment)
    {
        foreach (var name in environment.Variables.Keys.Order(StringComparer.Ordinal))
        {
            if (name.Equals(ArchiverConfiguration.SectionName, StringComparison.OrdinalIgnoreCase))
                throw new ArchiverException(
                    FailureKind.Configuration,
                    $"The environment variable {name} is set. It would be the whole section {ArchiverConfiguration.SectionName} of the "
                        + "configuration, which is no single value: unset it, or name a key, such as Archiver__Storage__Bucket."
                );
            if (Ours().IsMatch(name) && !IsKnown(name))
                throw new ArchiverException(
                    FailureKind.Configuration,
                    $"The environment variable {Visible.Text(name)} is set, and the "
                        + $"archiver knows no such variable{Hint(name)} Unset it if it is not for the archiver."
                );
        }
    }

    /// <summary>The variables as keys of the configuration.</summary>
    public static Dictionary<string, string?> Keys(ProcessEnvironment environment)
    {
        // Keys differ in more than case; of variables that do not, one counts.
        Dictionary<string, string?> keys = new(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in environment.Variables)
            keys[name.Replace("__", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal)] = value;
        return keys;
    }

    private static bool IsKnown(string name) =>
        Trigger.Variables.Contains(name, StringComparer.OrdinalIgnoreCase)
        || OfScripts.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
        || OfOthers().IsMatch(name);

    private static string Hint(string name)
    {
        if (DidYouMean.Hint(name.ToUpperInvariant(), Trigger.Variables) is { Length: > 0 } hint)
            return hint;
        // Archiver_Storage_Bucket.
        var key = KnownKey
            .Root.Paths()
            .FirstOrDefault(p =>
                Regex.IsMatch(
                    name,
                    $"^{p.Replace(":", "_+", StringComparison.Ordinal).Replace("{name}", "[^_]+", StringComparison.Ordinal)}$",
                    RegexOptions.IgnoreCase
                )
            );
        return key is null ? "." : $"; did you mean '{key.Replace(":", "__", StringComparison.Ordinal)}', with two underscores?";
    }

    /// <summary>ARCHIVER_ and no second underscore: with it the variable is a key, which is checked as one.</summary>
    [GeneratedRegex("^ARCHIVER_(?!_)", RegexOptions.IgnoreCase)]
    private static partial Regex Ours();

    /// <summary>
    /// Kubernetes sets these in every pod for each Service whose name begins with archiver, and docker-compose.yml takes ports, images,
    /// passwords and its key from them.
    /// </summary>
    [GeneratedRegex(
        "^ARCHIVER_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$"
            + "|^ARCHIVER_((POSTGRES_|S3_|SDK_|RUNTIME_)?IMAGE|(POSTGRES_|S3_)?PASSWORD|API_KEY)$",
        RegexOptions.IgnoreCase
    )]
    private static partial Regex OfOthers();
}

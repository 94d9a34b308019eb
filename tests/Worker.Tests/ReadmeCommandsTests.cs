using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// Every <c>archiver ...</c> that the documents show is one that the real command line takes: an example that is refused costs the trust of
/// the first hour.
/// </summary>
public sealed partial class ReadmeCommandsTests
{
    private static readonly string[] Documents =
    [
        "README.md",
        "SECURITY.md",
        "CHANGELOG.md",
        "docs/operations.md",
        "docs/lifecycle.md",
        "docs/format.md",
        "docs/query.md",
        "docs/init.md",
        "docs/commands.md",
        "docs/restore.md",
        "docs/configuration.md",
        "docs/http.md",
        "docs/applications.md",
        "deploy/prometheus/archiver.rules.yml",
    ];

    /// <summary>Verbs that do their work without a configuration.</summary>
    private static readonly string[] Unconfigured = ["presets"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_command_of_the_documents_parses()
    {
        var commands = Documents.SelectMany(d => Commands(File.ReadAllText(Repository.File(d)))).Distinct().ToList();
        Assert.True(commands.Count > 25, "The pattern finds no commands: the test could not fail.");
        var refused = new ConcurrentBag<string>();

        await Parallel.ForEachAsync(
            commands,
            new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Token },
            async (command, token) =>
            {
                // Without a configuration nothing runs: what was parsed ends with that, what was not with a hint at the help.
                var result = await ArchiverProcess.RunAsync(
                    command.Split(' ', StringSplitOptions.RemoveEmptyEntries),
                    new Dictionary<string, string?>(),
                    token
                );
                // A verb that is only named may lack what it needs; it must be there.
                if (BareVerb().IsMatch(command) && result.Error.Contains("--help", StringComparison.Ordinal))
                    result = await ArchiverProcess.RunAsync([.. command.Split(' '), "--help"], new Dictionary<string, string?>(), token);
                // The help of an unknown verb is that of the program.
                if (
                    result.Error.Contains("--help", StringComparison.Ordinal)
                    || (
                        result.ExitCode == 0
                        && !Unconfigured.Contains(command.Split(' ')[0])
                        && !result.Output.Contains($"archiver {command} ", StringComparison.Ordinal)
                    )
                )
                    refused.Add($"archiver {command}: {result.Error}");
            }
        );

        Assert.Empty(refused);
    }

    private static IEnumerable<string> Commands(string text)
    {
        foreach (Match match in Command().Matches(text))
        {
            var command = match.Groups[1].Success ? match.Groups[1].Value : match.Groups[2].Value;
            command = Comment().Replace(command, "").Trim();
            command = Quoted()
                .Replace(command, "Host=db")
                .Replace("{{ $labels.source }}", "main", StringComparison.Ordinal)
                .Replace("{{ $labels.policy }}", "idle", StringComparison.Ordinal);
            command = Placeholder()
                .Replace(command, m => m.Value.Contains('/', StringComparison.Ordinal) ? "main/idle" : "4711")
                .Replace("...", "", StringComparison.Ordinal);
            yield return command;
        }
    }

    // A code span that begins with the program's name and a verb, or a line of an example, with or without a pipe before it.
    [GeneratedRegex(
        @"`archiver ([a-z][^`\n]*)`|^    (?:[^\n`]*\| )?(?:artifacts/archiver/)?archiver ([a-z][^\n|]*)",
        RegexOptions.Multiline
    )]
    private static partial Regex Command();

    [GeneratedRegex("^[a-z ]+$")]
    private static partial Regex BareVerb();

    [GeneratedRegex(@"\s#.*$")]
    private static partial Regex Comment();

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex("<[^>]+>")]
    private static partial Regex Placeholder();
}

using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>Completion as docs/commands.md says to set it up, in a real shell.</summary>
public sealed partial class CompletionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("archiver re", "reconcile restore resume")]
    [InlineData("archiver hold a", "add")]
    [InlineData("archiver quarantine ", "list retry")]
    [InlineData("archiver verify --rest", "--restore-drill")]
    [InlineData("archiver query --par", "--parquet --partition-by")]
    [InlineData("archiver list --st", "--state")]
    public async Task The_shell_completes_verbs_options_and_their_values(string line, string expected)
    {
        var setup = Assert.Single(Setup().Matches(await File.ReadAllTextAsync(Repository.File("docs/commands.md"), Token))).Value;
        var words = line.Split(' ');
        var script = $"""
            PATH={ArchiverExecutable.Folder}:$PATH
            {setup}
            COMP_LINE='{line}' COMP_POINT={line.Length} COMP_WORDS=({string.Join(
                ' ',
                words.Select(w => $"'{w}'")
            )}) COMP_CWORD={words.Length - 1}
            _archiver; echo "${"{COMPREPLY[*]}"}"
            """;
        await using var bash = ChildProcess.Start("bash", ["-c", script], new Dictionary<string, string?>());

        var result = await bash.WaitForExitAsync(Token);

        Assert.Equal((0, expected), (result.ExitCode, string.Join(' ', result.Output.Trim().Split(' ').Order(StringComparer.Ordinal))));
    }

    [GeneratedRegex(@"(?<=^```bash\n)_archiver[^`]*(?=^```$)", RegexOptions.Multiline)]
    private static partial Regex Setup();
}

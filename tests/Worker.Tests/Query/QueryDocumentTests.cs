using System.Text.RegularExpressions;
using Archiver.Testing;

namespace Archiver.Worker.Tests.Query;

/// <summary>The examples of docs/query.md, as a person copies them into a shell.</summary>
public sealed partial class QueryDocumentTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_example_of_the_document_runs()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 8, young: 0, messages: 3);
        await archiver.Database.ExecuteAsync(
            "UPDATE chat_messages SET content = 'about order 4711' WHERE id = 1; UPDATE chat_sessions SET "
                + "user_id = '4711' WHERE session_id = (SELECT session_id FROM chat_messages WHERE id = 1)"
        );
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        var examples = Example()
            .Matches(await File.ReadAllTextAsync(Repository.File("docs", "query.md"), Token))
            .SelectMany(m => m.Groups[1].Value.Replace("\\\n", "", StringComparison.Ordinal).Split('\n'))
            .Where(l => l.StartsWith("archiver ", StringComparison.Ordinal))
            .ToList();
        Assert.True(examples.Count >= 8, "The pattern finds no examples: the test could not fail.");
        var folder = Directory.CreateTempSubdirectory("archiver-test-").FullName;
        var path = $"PATH={ArchiverExecutable.Folder}:$PATH; ";

        // One shell for all: each starts the program.
        var script = string.Join('\n', examples.Select(e => $"{e} || echo \"FAILED $?: \"{Quoted(e)}"));
        var result = await archiver.ShellAsync(folder, path + script, new Dictionary<string, string?>());

        Assert.True(result.ExitCode == 0 && !result.Output.Contains("FAILED", StringComparison.Ordinal), result.Output + result.Error);
        Assert.NotEmpty(Directory.GetFileSystemEntries(folder));
        Directory.Delete(folder, recursive: true);
    }

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    [GeneratedRegex(@"^```bash\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Example();
}

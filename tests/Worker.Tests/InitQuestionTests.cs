using Archiver.Testing;
using static Archiver.Worker.Tests.InitTables;

namespace Archiver.Worker.Tests;

/// <summary><c>archiver init</c> where somebody answers its questions.</summary>
public sealed class InitQuestionTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Asks_where_somebody_sits_and_takes_what_is_answered()
    {
        await using var desk = await InitDesk.CreateAsync(servers, TwoChats);

        // The second table; nothing left out; an age that is none, then one; a bucket at AWS in its region.
        var result = await desk.AskedAsync(
            "2\n\nlong\n45d\narchives\n\neu-central-1\n",
            "init",
            "--connection",
            desk.Database.ConnectionString
        );

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("Which table holds the sessions?", result.Error, StringComparison.Ordinal);
        var text = await File.ReadAllTextAsync(desk.File, Token);
        foreach (
            var line in new[]
            {
                "\"Table\": \"public.threads\"",
                "\"IdleFor\": \"45d\"",
                "\"Bucket\": \"archives\"",
                "\"Region\": \"eu-central-1\"",
            }
        )
            Assert.Contains(line, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answers_that_end_too_soon_write_nothing()
    {
        await using var desk = await InitDesk.CreateAsync(servers, TwoChats);

        var result = await desk.AskedAsync("1\n", "init", "--connection", desk.Database.ConnectionString);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains("The answers ended", result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(desk.Folder));
    }

    [Fact]
    public async Task Asks_on_a_terminal()
    {
        await using var desk = await InitDesk.CreateAsync(servers, TwoChats);
        var command =
            $"stty cols 120; {ArchiverExecutable.Path} init --connection '{desk.Database.ConnectionString}' --folder /archive "
            + $"--output {desk.File}";
        await using var process = ChildProcess.Start(
            "script",
            ["-qec", command, "/dev/null"],
            new Dictionary<string, string?>(ArchiverProcess.WithoutOurOwn(null)) { ["TERM"] = "xterm" },
            input: null,
            desk.Folder
        );

        await process.WaitForTextAsync("Which table holds the sessions?", Token);
        foreach (var answer in new[] { "2", "", "" })
            await process.WriteLineAsync(answer, Token);
        await process.WaitForTextAsync("Written:", Token);
        process.CloseInput();
        var result = await process.WaitForExitAsync(Token);

        Assert.True(result.ExitCode == 0, result.Output);
        Assert.Contains("\"Table\": \"public.threads\"", await File.ReadAllTextAsync(desk.File, Token), StringComparison.Ordinal);
    }
}

using Archiver.Testing;

namespace Archiver.Integration.Tests.Servers;

public sealed class ChildProcessTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Captures_both_outputs_apart_and_the_exit_code()
    {
        await using var process = ChildProcess.Start(
            "sh",
            ["-c", "cat; echo \"$GREETING\" >&2; exit 7"],
            new Dictionary<string, string?> { ["GREETING"] = "hello" },
            "from stdin"
        );

        Assert.Equal(new ProcessResult(7, "from stdin", "hello\n"), await process.WaitForExitAsync(Token));
    }

    [Fact]
    public async Task Hands_arguments_over_as_they_are()
    {
        await using var process = ChildProcess.Start("printf", ["%s|", "a b", "\"c'", "", "$HOME"]);

        Assert.Equal("a b|\"c'||$HOME|", (await process.WaitForExitAsync(Token)).Output);
    }

    [Theory]
    [InlineData(ProcessSignal.Kill)]
    [InlineData(ProcessSignal.Terminate)]
    public async Task Ends_by_the_signal_it_is_sent(ProcessSignal signal)
    {
        await using var process = ChildProcess.Start("sleep", ["3600"]);

        process.SendSignal(signal);

        Assert.Equal(128 + (int)signal, (await process.WaitForExitAsync(Token)).ExitCode);
    }

    [Fact]
    public async Task Stops_and_goes_on_by_signal()
    {
        await using var process = ChildProcess.Start("sleep", ["3600"]);

        process.SendSignal(ProcessSignal.Stop);
        await Eventually.TrueAsync(() => StateOf(process.Id) == 'T', Token);
        process.SendSignal(ProcessSignal.Continue);
        await Eventually.TrueAsync(() => StateOf(process.Id) == 'S', Token);
    }

    [Fact]
    public async Task Takes_its_own_children_along_when_disposed()
    {
        var process = ChildProcess.Start("sh", ["-c", "sleep 3600 & echo $! started; wait"]);
        await process.WaitForTextAsync("started", Token);
        var grandchild = int.Parse(process.Output.Split(' ')[0], provider: null);
        Assert.NotNull(StateOf(grandchild));

        await process.DisposeAsync();

        await Eventually.TrueAsync(() => StateOf(grandchild) is null or 'Z', Token);
    }

    [Fact]
    public async Task Is_killed_by_the_kernel_when_the_test_process_ends()
    {
        await using var process = ChildProcess.Start("setpriv", ["--dump"]);

        Assert.Contains("Parent death signal: KILL", (await process.WaitForExitAsync(Token)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outlives_the_thread_that_started_it()
    {
        ChildProcess? process = null;
        var thread = new Thread(() => process = ChildProcess.Start("cat", [], input: null));
        thread.Start();
        thread.Join();

        await using (process)
        {
            // Until the kernel has let go of the thread, a child tied to it would still answer.
            for (var line = 0; line < 50; line++)
            {
                await process!.WriteLineAsync($"line {line}", Token);
                await process.WaitForTextAsync($"line {line}\n", Token);
            }
        }
    }

    /// <summary>The kernel's letter for the state of a process; null where there is none.</summary>
    private static char? StateOf(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return stat[stat.LastIndexOf(')') + 2];
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}

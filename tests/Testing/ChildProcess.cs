using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Archiver.Testing;

/// <summary>A program under test: both outputs captured apart, ended with the test or with the test process, whatever happens.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly CapturedText output = new();
    private readonly CapturedText error = new();
    private readonly Task<ProcessResult> completion;

    private ChildProcess(Process process)
    {
        this.process = process;
        completion = CompleteAsync();
    }

    /// <summary>The program's own process id.</summary>
    public int Id => process.Id;

    /// <summary>What it has written to stdout so far.</summary>
    public string Output => output.ToString();

    /// <summary>What it has written to stderr so far.</summary>
    public string Error => error.ToString();

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => process.HasExited;

    /// <summary>Starts a program.</summary>
    /// <remarks>Its folder is the temporary one, so that nothing works only because tests happen to run in a certain place.</remarks>
    /// <param name="file">Its path, or its name on the PATH.</param>
    /// <param name="arguments">Its arguments, each exactly as the program sees it.</param>
    /// <param name="environment">Variables to add to this process's own; null removes one.</param>
    /// <param name="input">What it reads from stdin before the end of file; null keeps stdin open until <see cref="CloseInput"/>.</param>
    /// <param name="folder">Its working folder.</param>
    public static ChildProcess Start(
        string file,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null,
        string? input = "",
        string? folder = null
    ) => Start(file, arguments, environment, input, folder, ProcessLauncher.StartTied);

    /// <summary>
    /// Starts a program that sees to its own end when its stdin closes, and must live to clean up when this process is killed.
    /// </summary>
    internal static ChildProcess StartUntied(
        string file,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment
    ) => Start(file, arguments, environment, input: null, folder: null, info => Process.Start(info)!);

    private static ChildProcess Start(
        string file,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment,
        string? input,
        string? folder,
        Func<ProcessStartInfo, Process> launch
    )
    {
        var info = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
            info.Environment[name] = value;

        var child = new ChildProcess(launch(info));
        if (input is not null)
            child.WriteAndCloseInput(input);
        return child;
    }

    /// <summary>Ends its stdin.</summary>
    public void CloseInput() => process.StandardInput.Close();

    /// <summary>Sends a line to its stdin.</summary>
    public async Task WriteLineAsync(string line, CancellationToken cancellationToken)
    {
        await process.StandardInput.WriteAsync($"{line}\n".AsMemory(), cancellationToken);
        await process.StandardInput.FlushAsync(cancellationToken);
    }

    /// <summary>Sends a signal; does nothing once it has ended.</summary>
    public void SendSignal(ProcessSignal signal)
    {
        if (!process.HasExited)
            _ = Kill(process.Id, (int)signal);
    }

    /// <summary>Waits for its end. The wait is cancelled, not the process.</summary>
    public Task<ProcessResult> WaitForExitAsync(CancellationToken cancellationToken) => completion.WaitAsync(cancellationToken);

    /// <summary>Waits until its outputs, one after the other, hold a text.</summary>
    /// <exception cref="InvalidOperationException">It ended without; the message holds both outputs.</exception>
    public async Task WaitForTextAsync(string text, CancellationToken cancellationToken)
    {
        await Eventually.TrueAsync(() => Seen() || completion.IsCompleted, cancellationToken, what: $"the process wrote '{text}'");
        if (!Seen())
            throw new InvalidOperationException($"The process ended without writing '{text}'.\nstdout:\n{Output}\nstderr:\n{Error}");

        bool Seen() => Output.Contains(text, StringComparison.Ordinal) || Error.Contains(text, StringComparison.Ordinal);
    }

    /// <summary>Kills it and everything it started, if it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private async Task<ProcessResult> CompleteAsync()
    {
        await Task.WhenAll(output.ReadAsync(process.StandardOutput), error.ReadAsync(process.StandardError), process.WaitForExitAsync());
        return new ProcessResult(process.ExitCode, Output, Error);
    }

    private void WriteAndCloseInput(string input)
    {
        try
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended, or closed stdin, without reading all: its own affair, and its exit code tells.
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int pid, int signal);
}

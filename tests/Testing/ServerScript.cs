namespace Archiver.Testing;

/// <summary>
/// One of the scripts in <c>tests/Testing/servers</c>, in run mode: the server lives as long as the script's stdin, so never longer than
/// this process.
/// </summary>
internal sealed class ServerScript : IAsyncDisposable
{
    private readonly string script;
    private readonly ChildProcess process;

    private ServerScript(string script, string folder, ChildProcess process)
    {
        this.script = script;
        Folder = folder;
        this.process = process;
    }

    /// <summary>The server's own folder, which its script's other commands name.</summary>
    public string Folder { get; }

    /// <summary>SIGKILLs the script, which then cleans nothing up.</summary>
    public void Kill() => process.SendSignal(ProcessSignal.Kill);

    /// <summary>What the script said of the server before it was ready.</summary>
    public string Value(string name) =>
        process.Output.Split('\n').FirstOrDefault(line => line.StartsWith($"{name}=", StringComparison.Ordinal))?[(name.Length + 1)..]
        ?? throw new InvalidOperationException($"{script} did not print {name}.");

    /// <summary>Starts the server on a free port and returns once it answers.</summary>
    /// <exception cref="InvalidOperationException">It did not start; the message is the script's, which says what to install.</exception>
    public static async Task<ServerScript> StartAsync(
        string script,
        CancellationToken cancellationToken,
        IReadOnlyDictionary<string, string?>? environment = null
    )
    {
        var folder = Path.Combine(Path.GetTempPath(), $"archiver-test-{Guid.NewGuid():N}");
        var process = ChildProcess.StartUntied(PathOf(script), ["run", folder, "0"], environment);
        try
        {
            await process.WaitForTextAsync("READY", cancellationToken);
            return new ServerScript(script, folder, process);
        }
        catch (Exception e)
        {
            await StopAsync(process);
            throw e is InvalidOperationException ? new InvalidOperationException(process.Error.Trim(), e) : e;
        }
    }

    /// <summary>Runs another command of a script on a server's folder, such as <c>kill</c>.</summary>
    public static async Task InvokeAsync(string script, string command, string folder, CancellationToken cancellationToken)
    {
        await using var process = ChildProcess.Start(PathOf(script), [command, folder]);
        var result = await process.WaitForExitAsync(cancellationToken);
        if (result.ExitCode != 0)
            throw new InvalidOperationException($"{script} {command} failed: {result.Error.Trim()}");
    }

    public ValueTask DisposeAsync() => StopAsync(process);

    private static string PathOf(string script) => Repository.File("tests", "Testing", "servers", script);

    private static async ValueTask StopAsync(ChildProcess process)
    {
        process.CloseInput();
        await process.WaitForExitAsync(CancellationToken.None);
        await process.DisposeAsync();
    }
}

namespace Archiver.Testing;

/// <summary>
/// An S3 server (Ceph's gateway) of a test's own, for tests that pause or kill it: others share the one of <see cref="TestServers"/>.
/// </summary>
public sealed class S3Gateway : IAsyncDisposable
{
    internal const string Script = "rgw.sh";
    private readonly ServerScript script;

    private S3Gateway(ServerScript script) => this.script = script;

    /// <summary>Stays the same after a restart.</summary>
    public S3Address Address => AddressOf(script);

    /// <summary>The server's folder, for other commands of <c>rgw.sh</c>.</summary>
    public string Folder => script.Folder;

    /// <summary>Starts one on a free port.</summary>
    /// <param name="cancellationToken">Gives up the start.</param>
    /// <param name="environment">Variables of <c>rgw.sh</c>, such as <c>RGW_STORE_BYTES</c>.</param>
    public static async Task<S3Gateway> StartAsync(
        CancellationToken cancellationToken,
        IReadOnlyDictionary<string, string?>? environment = null
    ) => new(await ServerScript.StartAsync(Script, cancellationToken, environment));

    /// <summary>SIGKILLs the gateway: connections break, objects stay.</summary>
    public Task KillAsync(CancellationToken cancellationToken) => InvokeAsync("kill-gateway", cancellationToken);

    /// <summary>Starts it after <see cref="KillAsync"/>, on the same port.</summary>
    public Task StartAgainAsync(CancellationToken cancellationToken) => InvokeAsync("start-gateway", cancellationToken);

    /// <summary>Stops it from answering; connections stay open, requests hang.</summary>
    public Task PauseAsync(CancellationToken cancellationToken) => InvokeAsync("pause-gateway", cancellationToken);

    /// <summary>Lets it answer again, also what it was asked while paused.</summary>
    public Task ResumeAsync(CancellationToken cancellationToken) => InvokeAsync("resume-gateway", cancellationToken);

    /// <summary>Ends the server and deletes its folder with all objects.</summary>
    public ValueTask DisposeAsync() => script.DisposeAsync();

    internal static S3Address AddressOf(ServerScript script) =>
        new(new Uri(script.Value("S3_ENDPOINT")), script.Value("S3_ACCESS_KEY"), script.Value("S3_SECRET_KEY"));

    private Task InvokeAsync(string command, CancellationToken cancellationToken) =>
        ServerScript.InvokeAsync(Script, command, script.Folder, cancellationToken);
}

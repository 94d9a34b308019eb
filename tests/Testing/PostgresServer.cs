namespace Archiver.Testing;

/// <summary>
/// A PostgreSQL server of a test's own, for tests that stop or kill it: others share the one of <see cref="TestServers"/>.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    internal const string Script = "postgres.sh";
    private readonly ServerScript script;

    private PostgresServer(ServerScript script) => this.script = script;

    /// <summary>Superuser, database <c>postgres</c>; stays the same after a restart.</summary>
    public string ConnectionString => script.Value("POSTGRES_CONNECTION");

    /// <summary>The server's folder; <c>log/postgres</c> in it is the log.</summary>
    public string Folder => script.Folder;

    /// <summary>SIGKILLs the script that keeps the server; the kernel then ends the server.</summary>
    internal void KillScript() => script.Kill();

    /// <summary>Starts one on a free port.</summary>
    /// <param name="cancellationToken">Gives up the start.</param>
    /// <param name="configuration">More lines for <c>postgresql.conf</c>, such as <c>deadlock_timeout = '50ms'</c>.</param>
    public static async Task<PostgresServer> StartAsync(CancellationToken cancellationToken, string? configuration = null) =>
        new(await ServerScript.StartAsync(Script, cancellationToken, new Dictionary<string, string?> { ["PG_EXTRA"] = configuration }));

    /// <summary>Starts a streaming standby: a copy of a server that is stopped, made before that one is started again.</summary>
    /// <param name="original">The server to copy; or another standby, which it then copies and follows.</param>
    /// <param name="cancellationToken">Gives up the start.</param>
    /// <param name="configuration">More lines for <c>postgresql.conf</c>, such as <c>recovery_min_apply_delay = '5min'</c>.</param>
    public static async Task<PostgresServer> StartStandbyAsync(
        PostgresServer original,
        CancellationToken cancellationToken,
        string? configuration = null
    ) =>
        new(
            await ServerScript.StartAsync(
                Script,
                cancellationToken,
                new Dictionary<string, string?>
                {
                    ["PG_EXTRA"] = configuration,
                    ["PG_STANDBY_OF"] = $"{original.Folder} {original.script.Value("POSTGRES_PORT")}",
                }
            )
        );

    /// <summary>
    /// SIGKILLs the server and every backend, as a power cut would; <see cref="StartAgainAsync"/> then goes through crash recovery.
    /// </summary>
    public Task KillAsync(CancellationToken cancellationToken) => InvokeAsync("kill", cancellationToken);

    /// <summary>Shuts it down, ending every session.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => InvokeAsync("stop", cancellationToken);

    /// <summary>Starts it after <see cref="KillAsync"/> or <see cref="StopAsync"/>, on the same port.</summary>
    public Task StartAgainAsync(CancellationToken cancellationToken) => InvokeAsync("start", cancellationToken);

    /// <summary>Ends the server and deletes its folder.</summary>
    public ValueTask DisposeAsync() => script.DisposeAsync();

    private Task InvokeAsync(string command, CancellationToken cancellationToken) =>
        ServerScript.InvokeAsync(Script, command, script.Folder, cancellationToken);
}

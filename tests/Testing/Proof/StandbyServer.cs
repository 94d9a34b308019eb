namespace Archiver.Testing.Proof;

/// <summary>
/// A copy of a server, made by pg_basebackup, that knows nothing of what the server did afterwards, as an asynchronous standby that lags.
/// Promoted, it takes over at the server's address with a timeline of its own.
/// </summary>
public sealed class StandbyServer : IAsyncDisposable
{
    private readonly string _folder;

    private StandbyServer(string folder) => _folder = folder;

    /// <summary>Copies a running server.</summary>
    public static async Task<StandbyServer> CopyAsync(PostgresServer server, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"archiver-test-{Guid.NewGuid():N}")).FullName;
        Directory.CreateDirectory(Path.Combine(folder, "log"));
        // What postgres.sh knows its own folders by.
        await File.WriteAllTextAsync(Path.Combine(folder, ".postgres-sh"), "", cancellationToken);
        var bin = (await File.ReadAllTextAsync(Path.Combine(server.Folder, "bin"), cancellationToken)).Trim();
        await File.WriteAllTextAsync(Path.Combine(folder, "bin"), bin, cancellationToken);
        var address = new Npgsql.NpgsqlConnectionStringBuilder(server.ConnectionString);
        var data = Path.Combine(folder, "data");
        await RunAsync(
            Path.Combine(bin, "pg_basebackup"),
            ["-h", address.Host!, "-p", $"{address.Port}", "-U", address.Username!, "-D", data, "-c", "fast", "-X", "stream", "--no-sync"],
            new() { ["PGPASSWORD"] = address.Password },
            cancellationToken
        );
        await File.WriteAllTextAsync(Path.Combine(data, "standby.signal"), "", cancellationToken);
        await RunAsync("chown", ["-R", $"--reference={Path.Combine(server.Folder, "data")}", data], [], cancellationToken);
        return new(folder);
    }

    /// <summary>Starts it at the address of the server, which must have ended, and promotes it.</summary>
    public async Task TakeOverAsync(string connectionString, CancellationToken cancellationToken)
    {
        await ServerScript.InvokeAsync(PostgresServer.Script, "start", _folder, cancellationToken);
        await using var dataSource = Npgsql.NpgsqlDataSource.Create(connectionString);
        await Eventually.TrueAsync(
            async () =>
            {
                await using var promote = dataSource.CreateCommand("SELECT pg_promote()");
                return await promote.ExecuteScalarAsync(cancellationToken) is true;
            },
            cancellationToken
        );
    }

    public async ValueTask DisposeAsync() => await ServerScript.InvokeAsync(PostgresServer.Script, "down", _folder, CancellationToken.None);

    private static async Task RunAsync(
        string file,
        string[] arguments,
        Dictionary<string, string?> environment,
        CancellationToken cancellationToken
    )
    {
        await using var process = ChildProcess.Start(file, arguments, environment);
        var result = await process.WaitForExitAsync(cancellationToken);
        if (result.ExitCode != 0)
            throw new InvalidOperationException($"{file} failed: {result.Error.Trim()}");
    }
}

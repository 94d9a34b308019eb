using System.Net;
using System.Net.Sockets;
using Npgsql;
using Xunit;

namespace Archiver.Testing.Proof;

/// <summary>PgBouncer in transaction mode before a database, for one test. Debian: <c>apt-get install pgbouncer</c>.</summary>
public sealed class PgBouncer : IAsyncDisposable
{
    private const string Program = "/usr/sbin/pgbouncer";

    private readonly string _folder;
    private readonly ChildProcess _process;

    private PgBouncer(string folder, ChildProcess process, string connectionString) =>
        (_folder, _process, ConnectionString) = (folder, process, connectionString);

    /// <summary>Leads to the database through the pooler.</summary>
    public string ConnectionString { get; }

    /// <summary>
    /// Starts one, with so many connections to a database; where the program is missing the test is skipped at home and fails in CI.
    /// </summary>
    public static async Task<PgBouncer> StartAsync(string connectionString, CancellationToken cancellationToken, int pool = 20)
    {
        if (!File.Exists(Program) && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI")))
            Assert.Skip($"{Program} is not there: apt-get install pgbouncer");
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"archiver-test-{Guid.NewGuid():N}")).FullName;
        var port = FreePort();
        var file = Path.Combine(folder, "pgbouncer.ini");
        await File.WriteAllTextAsync(
            file,
            $"""
            [databases]
            * = host={server.Host} port={server.Port} user={server.Username} password={server.Password}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = {pool}
            ignore_startup_parameters = extra_float_digits
            """,
            cancellationToken
        );
        // It refuses to run as root.
        string[] arguments = Environment.IsPrivilegedProcess ? ["-u", "nobody", file] : [file];
        var process = ChildProcess.Start(Program, arguments);
        var address = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Host = "127.0.0.1",
            Port = port,
            NoResetOnClose = true,
            Pooling = false,
        };
        await Eventually.TrueAsync(() => IsOpen(port) || process.HasExited, cancellationToken);
        Assert.False(process.HasExited, process.Error);
        return new(folder, process, address.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static bool IsOpen(int port)
    {
        try
        {
            using var client = new TcpClient("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

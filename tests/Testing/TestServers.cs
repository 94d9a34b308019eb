using Npgsql;
using Xunit;

namespace Archiver.Testing;

/// <summary>
/// The PostgreSQL and S3 servers that all tests of an assembly share: those the environment names (see CONTRIBUTING.md), else
/// started for this test process. Use it as <c>[assembly: AssemblyFixture(typeof(TestServers))]</c> and take it in a test's constructor.
/// </summary>
/// <remarks>A test that stops, pauses or kills a server takes its own: <see cref="PostgresServer"/>, <see cref="S3Gateway"/>.</remarks>
public sealed class TestServers : IAsyncLifetime
{
    private readonly SampleDatabases samples;
    private readonly Lazy<NpgsqlDataSource> admin;
    private SharedServer<string>? postgres;
    private SharedServer<S3Address>? s3;

    /// <summary>Of this test process.</summary>
    public TestServers()
    {
        samples = new(this);
        admin = new(() => TestDatabase.Source(PostgresConnectionString));
    }

    /// <summary>Superuser, database <c>postgres</c>. Skips the test where there is no server; fails it in CI.</summary>
    public string PostgresConnectionString => Started(postgres).Address;

    /// <summary>The S3 server. Skips the test where there is none; fails it in CI.</summary>
    public S3Address S3 => Started(s3).Address;

    /// <inheritdoc cref="S3"/>
    public Uri S3Endpoint => S3.Endpoint;

    /// <inheritdoc cref="S3"/>
    public string S3AccessKey => S3.AccessKey;

    /// <inheritdoc cref="S3"/>
    public string S3SecretKey => S3.SecretKey;

    /// <summary>Makes and drops databases; pooled, because a new connection costs the server as much as the copy does.</summary>
    internal NpgsqlDataSource Admin => admin.Value;

    /// <summary>The gateway's folder for <c>rgw.sh</c>, or null where the server is not ours.</summary>
    public string? RgwDirectory => Started(s3).Folder ?? Variable("ARCHIVER_TEST_RGW_DIR");

    /// <summary>Starts what the environment does not name.</summary>
    public async ValueTask InitializeAsync()
    {
        var starting = StartPostgresAsync();
        s3 = await StartS3Async();
        postgres = await starting;
    }

    /// <summary>
    /// A database on the shared server with a preset's application schema and sample, of which <see cref="ApplicationSchema"/> tells more,
    /// and an empty ledger, unless a test is about there being none.
    /// </summary>
    public Task<TestDatabase> CreateSampleAsync(
        string preset,
        int idle,
        int young,
        int messages,
        CancellationToken cancellationToken,
        bool ledger = true
    ) => samples.CreateAsync(new Sample(PostgresConnectionString, preset, idle, young, messages), ledger, cancellationToken);

    /// <summary>
    /// A database on the shared server with an empty ledger and no other table, unless a test is about there being no ledger.
    /// </summary>
    public Task<TestDatabase> CreateDatabaseAsync(CancellationToken cancellationToken, bool ledger = true) =>
        ledger ? samples.CreateLedgerAsync(cancellationToken) : TestDatabase.CreateAsync(this, cancellationToken);

    /// <summary>Ends what was started here.</summary>
    public async ValueTask DisposeAsync()
    {
        await samples.DisposeAsync();
        if (admin.IsValueCreated)
            await admin.Value.DisposeAsync();
        if (postgres is not null)
            await postgres.DisposeAsync();
        if (s3 is not null)
            await s3.DisposeAsync();
    }

    private static async Task<SharedServer<string>> StartPostgresAsync() =>
        Variable("ARCHIVER_TEST_POSTGRES") is { } connectionString
            ? new SharedServer<string>(connectionString)
            : await SharedServer<string>.StartAsync(PostgresServer.Script, script => script.Value("POSTGRES_CONNECTION"));

    private static async Task<SharedServer<S3Address>> StartS3Async() =>
        Variable("ARCHIVER_TEST_S3_ENDPOINT") is { } endpoint
            ? new SharedServer<S3Address>(
                new S3Address(new Uri(endpoint), Required("ARCHIVER_TEST_S3_ACCESS_KEY"), Required("ARCHIVER_TEST_S3_SECRET_KEY"))
            )
            : await SharedServer<S3Address>.StartAsync(S3Gateway.Script, S3Gateway.AddressOf);

    private static SharedServer<T> Started<T>(SharedServer<T>? server)
        where T : class =>
        server ?? throw new InvalidOperationException("InitializeAsync has not run: is TestServers an assembly fixture here?");

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static string Required(string name) =>
        Variable(name) ?? throw new InvalidOperationException($"ARCHIVER_TEST_S3_ENDPOINT is set, so {name} must be set too.");
}

using Archiver.Core.Configuration;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Archiver.Testing;

/// <summary>A database with an application's schema, a bucket, and the archiver between them, for one test.</summary>
public sealed class ArchiverFixture : IAsyncDisposable
{
    private readonly ConnectionCatalog _connections;
    private readonly List<TestBucket> _buckets = [];

    private ArchiverFixture(TestDatabase database, TestBucket bucket, ArchiverSettings settings)
    {
        Database = database;
        Bucket = bucket;
        Settings = settings;
        Store = StoreOf(settings);
        _connections = new ConnectionCatalog(settings);
    }

    public TestDatabase Database { get; }

    public TestBucket Bucket { get; private set; }

    public ArchiverSettings Settings { get; set; }

    /// <summary>The store that <see cref="RunAsync"/> uses; a test may put its own in front of it.</summary>
    public IArchiveStore Store { get; set; }

    /// <summary>What <see cref="RunAsync"/> logged.</summary>
    public RecordedEvents Events { get; } = new();

    public SourceSettings Source => Settings.Sources[0];

    public Policy Policy => Source.Policies[0];

    internal ConnectionCatalog Catalog => _connections;

    internal SourceConnections Connections => _connections[Source.Name];

    /// <summary>Begins a run, as its owner: for tests of what is within one.</summary>
    internal async Task<RunScope> BeginAsync(RunRequest request, CancellationToken cancellationToken) =>
        await RunScope.BeginAsync(request, Settings, Connections, TimeProvider.System, NullLogger.Instance, cancellationToken)
        ?? throw new InvalidOperationException("Another run has the source.");

    /// <summary>
    /// Installs the schema and its sample data: <paramref name="idle"/> sessions older than 90 days, <paramref name="young"/> younger; an
    /// empty <paramref name="ledger"/> on the shared server.
    /// </summary>
    public static async Task<ArchiverFixture> CreateAsync(
        TestServers servers,
        CancellationToken cancellationToken,
        int idle = 20,
        int young = 5,
        int messages = 4,
        string preset = "ended-at",
        Func<ArchiverSettings, ArchiverSettings>? configure = null,
        string? server = null,
        bool versioned = false,
        bool objectLock = false,
        bool ledger = true
    )
    {
        // A copy is cheap only where its original serves others, too: not on a test's own server.
        var database = server is null
            ? await servers.CreateSampleAsync(preset, idle, young, messages, cancellationToken, ledger)
            : await new Sample(server, preset, idle, young, messages).CreateAsync(cancellationToken);
        var bucket = await TestBucket.CreateAsync(servers, cancellationToken, versioned, objectLock);
        return Between(database, bucket, Presets.Get(preset).Map, configure);
    }

    /// <summary>
    /// A database with a mapping of the test's own; the test creates the tables. On the shared server it has an empty ledger.
    /// </summary>
    public static async Task<ArchiverFixture> CreateAsync(
        TestServers servers,
        SourceMap map,
        Func<ArchiverSettings, ArchiverSettings>? configure,
        string? server,
        CancellationToken cancellationToken,
        bool versioned = false,
        bool objectLock = false
    )
    {
        var database = server is null
            ? await servers.CreateDatabaseAsync(cancellationToken)
            : await TestDatabase.CreateAsync(server, cancellationToken);
        return Between(database, await TestBucket.CreateAsync(servers, cancellationToken, versioned, objectLock), map, configure);
    }

    private static ArchiverFixture Between(
        TestDatabase database,
        TestBucket bucket,
        SourceMap map,
        Func<ArchiverSettings, ArchiverSettings>? configure
    )
    {
        var settings = new ArchiverSettings
        {
            Sources =
            [
                new SourceSettings
                {
                    Name = "main",
                    ConnectionString = database.ConnectionString,
                    Prefix = "chat_archives",
                    Map = map,
                    Policies =
                    [
                        new Policy
                        {
                            Source = "main",
                            Name = "idle",
                            Action = PolicyAction.Archive,
                            IdleFor = TimeSpan.FromDays(90),
                        },
                    ],
                },
            ],
            Storage = bucket.Settings,
            Retry = new RetrySettings { Budget = TimeSpan.FromSeconds(5) },
            Safety = new SafetySettings { MaxShare = 1 },
        };
        return new(database, bucket, configure?.Invoke(settings) ?? settings) { _buckets = { bucket } };
    }

    private static IArchiveStore StoreOf(ArchiverSettings settings) =>
        ArchiveStoreFactory.Create(settings.Storage, settings.Retry, TimeProvider.System, NullLoggerFactory.Instance);

    /// <summary>The same over a copy of the database, which goes with it; the bucket stays this one's.</summary>
    public ArchiverFixture Over(TestDatabase copy, Func<ArchiverSettings, ArchiverSettings> configure) =>
        new(copy, Bucket, configure(Settings with { Sources = [Source with { ConnectionString = copy.ConnectionString }] }));

    /// <summary>Configures another bucket, which goes with this fixture.</summary>
    public void Use(TestBucket bucket)
    {
        _buckets.Add(bucket);
        (Store as IDisposable)?.Dispose();
        (Bucket, Settings) = (bucket, Settings with { Storage = Settings.Storage with { Bucket = bucket.Name } });
        Store = StoreOf(Settings);
    }

    /// <summary>Runs the policy once.</summary>
    public Task<RunSummary> RunAsync(CancellationToken cancellationToken, IProgress<RunProgress>? progress = null) =>
        new PolicyRunner(Settings, _connections, Store, TimeProvider.System, Events).RunAsync(
            new RunRequest(Source, Policy),
            progress,
            cancellationToken
        );

    /// <summary>The key of some session that the policy takes.</summary>
    public async Task<string> AnyIdleAsync(CancellationToken cancellationToken) =>
        (
            await Database.ScalarAsync<string>(
                "SELECT session_id::text FROM chat_sessions WHERE last_activity < now() - interval '90 days' ORDER BY session_id LIMIT 1",
                cancellationToken
            )
        )!;

    /// <summary>
    /// Runs a statement as an application would, with a session key as $1 unless it is null, on a connection of its own unless one is
    /// given.
    /// </summary>
    public async Task ExecuteAsync(string sql, string? session, NpgsqlConnection? connection = null)
    {
        await using var own = connection is null ? await Database.DataSource.OpenConnectionAsync() : null;
        await using var command = new NpgsqlCommand(sql, connection ?? own);
        if (session is not null)
            command.Parameters.Add(new() { Value = Guid.Parse(session) });
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _connections.DisposeAsync();
        (Store as IDisposable)?.Dispose();
        foreach (var bucket in _buckets)
            await bucket.DisposeAsync();
        await Database.DisposeAsync();
    }
}

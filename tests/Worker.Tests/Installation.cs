using Archiver.Core.Storage;
using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>A database with the ended-at application, a bucket, and the built executable configured for both by its environment.</summary>
internal sealed class Installation : IAsyncDisposable
{
    private readonly Dictionary<string, string?> _environment;

    private Installation(TestDatabase database, TestBucket bucket)
    {
        Database = database;
        Bucket = bucket;
        _environment = Environment(database.ConnectionString, bucket.Settings);
    }

    public TestDatabase Database { get; }

    public TestBucket Bucket { get; }

    /// <summary>Schema and sample data: <paramref name="idle"/> sessions older than 90 days, <paramref name="young"/> younger ones.</summary>
    public static async Task<Installation> CreateAsync(
        TestServers servers, CancellationToken cancellationToken, int idle = 20, int young = 5, int messages = 4)
    {
        var database = await TestDatabase.CreateAsync(servers, cancellationToken);
        var bucket = await TestBucket.CreateAsync(servers, cancellationToken);
        await ApplicationSchema.InstallAsync(database, "ended-at", cancellationToken);
        await ApplicationSchema.GenerateAsync(database, "ended-at", idle, young, messages, cancellationToken: cancellationToken);
        return new(database, bucket);
    }

    /// <summary>The configuration of one source with one policy, as environment variables.</summary>
    public static Dictionary<string, string?> Environment(string connectionString, StorageSettings storage) => new()
    {
        ["Archiver__Sources__main__ConnectionString"] = connectionString,
        ["Archiver__Sources__main__Preset"] = "ended-at",
        ["Archiver__Sources__main__Policies__idle__Action"] = "Archive",
        ["Archiver__Sources__main__Policies__idle__IdleFor"] = "90d",
        ["Archiver__Storage__Endpoint"] = storage.Endpoint?.ToString(),
        ["Archiver__Storage__Bucket"] = storage.Bucket,
        ["Archiver__Storage__AccessKey"] = storage.AccessKey,
        ["Archiver__Storage__SecretKey"] = storage.SecretKey,
        ["Archiver__Storage__PathStyle"] = "true",
        ["Archiver__Retry__Budget"] = "1s",
        ["Archiver__Safety__MaxShare"] = "1",
        ["Archiver__Http__Urls"] = "http://127.0.0.1:0",
    };

    /// <summary>Sets a key below Archiver, such as <c>Batch:Sessions</c>; null takes it away.</summary>
    public Installation With(string key, string? value)
    {
        _environment[Variable(key)] = value;
        return this;
    }

    /// <summary>Runs a verb to its end.</summary>
    public Task<ProcessResult> RunAsync(params string[] arguments) =>
        ArchiverProcess.RunAsync(arguments, _environment, TestContext.Current.CancellationToken);

    /// <summary>Starts a verb and leaves it running.</summary>
    /// <param name="variables">More environment variables, by their full names.</param>
    /// <param name="arguments">Verb and options.</param>
    public ChildProcess Start(IReadOnlyDictionary<string, string?> variables, params string[] arguments) =>
        ArchiverProcess.Start(arguments, new Dictionary<string, string?>(_environment.Concat(variables).GroupBy(v => v.Key).Select(g => g.Last())));

    /// <inheritdoc cref="Start(IReadOnlyDictionary{string, string?}, string[])"/>
    public ChildProcess Start(params string[] arguments) => Start(new Dictionary<string, string?>(), arguments);

    /// <summary>Sessions still in the application's table.</summary>
    public Task<long> LiveSessionsAsync() => Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions");

    /// <summary>Every row of the application, as text.</summary>
    public async Task<string> RowsAsync() =>
        await Database.CopyOutAsync("SELECT * FROM chat_sessions ORDER BY 1") + await Database.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id");

    public async ValueTask DisposeAsync()
    {
        await Bucket.DisposeAsync();
        await Database.DisposeAsync();
    }

    private static string Variable(string key) => $"Archiver__{key.Replace(":", "__", StringComparison.Ordinal)}";
}

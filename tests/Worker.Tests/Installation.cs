using Archiver.Testing;

namespace Archiver.Worker.Tests;

/// <summary>
/// A database with an application (ended-at unless a test says otherwise), a bucket, and <c>archiver</c> configured for both by its
/// environment.
/// </summary>
internal sealed class Installation : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    private readonly Dictionary<string, string?> _environment;

    private readonly bool _ownDatabase,
        _ownStore;

    private Installation(TestDatabase database, TestBucket bucket, bool ownDatabase, bool ownStore)
    {
        (_ownDatabase, _ownStore) = (ownDatabase, ownStore);
        Database = database;
        Bucket = bucket;
        _environment = InstallationEnvironment.Of(database.ConnectionString, bucket.Settings);
    }

    public TestDatabase Database { get; }

    public TestBucket Bucket { get; }

    /// <summary>
    /// Schema and sample data: <paramref name="idle"/> sessions older than 90 days, <paramref name="young"/> younger ones. On the shared
    /// servers, with an empty <paramref name="ledger"/>, or on a test's own that it stops.
    /// </summary>
    public static async Task<Installation> CreateAsync(
        TestServers servers,
        CancellationToken cancellationToken,
        int idle = 20,
        int young = 5,
        int messages = 4,
        string? postgres = null,
        S3Address? s3 = null,
        string preset = "ended-at",
        bool ledger = true
    )
    {
        var database = postgres is null
            ? await servers.CreateSampleAsync(preset, idle, young, messages, cancellationToken, ledger)
            : await new Sample(postgres, preset, idle, young, messages).CreateAsync(cancellationToken);
        var bucket = await TestBucket.CreateAsync(s3 ?? servers.S3, cancellationToken);
        return new Installation(database, bucket, postgres is not null, s3 is not null).With("Sources:main:Preset", preset);
    }

    /// <summary>The same with tables of the test's own, which it maps.</summary>
    public static async Task<Installation> CreateAsync(
        TestServers servers,
        string schema,
        CancellationToken cancellationToken,
        bool ledger = true
    )
    {
        var database = await servers.CreateDatabaseAsync(cancellationToken, ledger);
        var bucket = await TestBucket.CreateAsync(servers.S3, cancellationToken);
        await database.ExecuteAsync(schema, cancellationToken);
        return new Installation(database, bucket, ownDatabase: false, ownStore: false).With("Sources:main:Preset", null);
    }

    /// <summary>Sets a key below Archiver, such as <c>Batch:Sessions</c>; null takes it away.</summary>
    public Installation With(string key, string? value)
    {
        // Not null: an environment variable of that name would be taken from this process.
        if (value is null)
            _environment.Remove(Variable(key));
        else
            _environment[Variable(key)] = value;
        return this;
    }

    /// <summary>The value of a key below Archiver, or null.</summary>
    public string? Value(string key) => _environment.GetValueOrDefault(Variable(key));

    /// <summary>Gives a source another name, with all its keys.</summary>
    public Installation RenameSource(string old, string name)
    {
        var prefix = Variable($"Sources:{old}:");
        foreach (var key in _environment.Keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal)).ToList())
        {
            _environment[Variable($"Sources:{name}:") + key[prefix.Length..]] = _environment[key];
            _environment.Remove(key);
        }
        return this;
    }

    /// <summary>Runs a verb to its end, which must come: a worker that should have refused to start would run for ever.</summary>
    public Task<ProcessResult> RunAsync(params string[] arguments) => RunWithInputAsync("", arguments);

    /// <inheritdoc cref="RunAsync"/>
    /// <param name="input">Its stdin.</param>
    /// <param name="arguments">Verb and options.</param>
    public async Task<ProcessResult> RunWithInputAsync(string input, params string[] arguments)
    {
        if (ArchiverProcess.NeedsProcess(_environment))
            await ArchiverExecutable.MadeAsync();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Deadline);
        try
        {
            return await ArchiverProcess.RunAsync(arguments, _environment, deadline.Token, input);
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"'{string.Join(' ', arguments)}' went on for more than {Deadline}.");
        }
    }

    /// <summary>Starts a verb in this process and leaves it running.</summary>
    /// <param name="input">Its stdin.</param>
    /// <param name="folder">Its working folder.</param>
    /// <param name="variables">More environment variables, by their full names.</param>
    /// <param name="arguments">Verb and options.</param>
    public Invocation Invoke(Stream? input, string? folder, IReadOnlyDictionary<string, string?> variables, params string[] arguments) =>
        Invocation.Start(arguments, ArchiverProcess.Variables(With(variables)), input, folder);

    /// <summary>Starts a verb as a process and leaves it running.</summary>
    /// <param name="variables">More environment variables, by their full names.</param>
    /// <param name="arguments">Verb and options.</param>
    public ChildProcess Start(IReadOnlyDictionary<string, string?> variables, params string[] arguments) =>
        ArchiverProcess.Start(arguments, With(variables));

    /// <inheritdoc cref="Start(IReadOnlyDictionary{string, string?}, string[])"/>
    public ChildProcess Start(params string[] arguments) => Start(new Dictionary<string, string?>(), arguments);

    /// <summary>
    /// Starts it on a terminal of its own, made by <c>script</c>; what is written to the terminal is the process's output.
    /// </summary>
    /// <param name="command">Verb, options and redirections, as for a shell.</param>
    public ChildProcess StartOnTerminal(string command)
    {
        return ChildProcess.Start(
            "script",
            ["-qec", $"stty cols 120; {ArchiverExecutable.Path} {command}", "/dev/null"],
            new Dictionary<string, string?>(_environment) { ["TERM"] = "xterm" }
        );
    }

    /// <summary>
    /// Runs a line in a shell, in a folder where <c>archiver</c> is on the path, with the installation's configuration in its environment.
    /// </summary>
    /// <param name="folder">Its working folder.</param>
    /// <param name="line">As a person types it.</param>
    /// <param name="variables">More environment variables.</param>
    /// <param name="input">What the person types when asked.</param>
    public async Task<ProcessResult> ShellAsync(
        string folder,
        string line,
        IReadOnlyDictionary<string, string?> variables,
        string input = ""
    )
    {
        var environment = ArchiverProcess.WithoutOurOwn(_environment);
        foreach (var (name, value) in variables)
            environment[name] = value;
        // A session of its own has no terminal: who asks for a password then reads it from stdin.
        await using var shell = ChildProcess.Start(
            "setsid",
            ["--wait", "bash", "-c", $"set -o pipefail; {line}"],
            environment,
            input,
            folder
        );
        return await shell.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Deadline);
    }

    /// <summary>Sessions still in the application's table.</summary>
    public Task<long> LiveSessionsAsync() => Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions");

    /// <summary>Every row of the application, as text.</summary>
    public async Task<string> RowsAsync() =>
        await Database.CopyOutAsync("SELECT * FROM chat_sessions ORDER BY 1")
        + await Database.CopyOutAsync("SELECT * FROM chat_messages ORDER BY id");

    public async ValueTask DisposeAsync()
    {
        // A test's own server ends with everything in it, and may be down by now.
        if (_ownStore)
            Bucket.Client.Dispose();
        else
            await Bucket.DisposeAsync();
        if (_ownDatabase)
            await Database.DataSource.DisposeAsync();
        else
            await Database.DisposeAsync();
    }

    private Dictionary<string, string?> With(IReadOnlyDictionary<string, string?> variables) =>
        new(_environment.Concat(variables).GroupBy(v => v.Key).Select(g => g.Last()));

    private static string Variable(string key) => $"Archiver__{key.Replace(":", "__", StringComparison.Ordinal)}";
}

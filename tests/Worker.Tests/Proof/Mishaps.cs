using Amazon.S3.Model;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests.Proof;

/// <summary>
/// What people do to an archiver besides killing it: each must be refused, or survived, without anything lost, and afterwards everything
/// goes on as before. The oracle is asked by the caller.
/// </summary>
/// <param name="archiver">The installation; no worker runs meanwhile, writers do.</param>
/// <param name="servers">For another bucket.</param>
/// <param name="oracle">Told where the objects are.</param>
/// <param name="random">Chooses sessions.</param>
internal sealed class Mishaps(Installation archiver, TestServers servers, Oracle oracle, Random random) : IAsyncDisposable
{
    private readonly List<TestBucket> _buckets = [];
    private readonly ProofVerbs _verbs = new(archiver);
    private readonly List<(string Name, Func<Task> Happen)> _left = [];

    /// <summary>How many have happened, by their names.</summary>
    public SortedDictionary<string, int> Counts { get; } = new(StringComparer.Ordinal);

    /// <summary>What was looked at after a verb had said that it was complete, or refused.</summary>
    public ProofClaims Claims { get; } = new(archiver);

    public HeldArchives Holds => field ??= new(archiver, _verbs, Claims, random);

    private ErasedKeys Erased => field ??= new(archiver, _verbs, Claims);

    private TestBucket Bucket => _buckets.LastOrDefault() ?? archiver.Bucket;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private IReadOnlyList<(string Name, Func<Task> Happen)> Kinds =>
        [
            ("source renamed", RenameAsync),
            ("second mapping of the same tables", MapTwiceAsync),
            ("copy of the database", CopyDatabaseAsync),
            ("bucket moved", MoveBucketAsync),
            ("message that came after archiving", WriteLateAsync),
            ("erased key used again", async () => await Erased.EraseAndBeginAgainAsync(await Holds.AnyArchivedAsync(), Bucket)),
            ("sessions held and lifted", () => Holds.HoldAsync(Bucket)),
        ];

    /// <summary>Lets one happen, at random, each once before one happens again; returns its name.</summary>
    public async Task<string> HappenAsync()
    {
        if (_left.Count == 0)
            _left.AddRange(Kinds);
        var next = _left[random.Next(_left.Count)];
        _left.Remove(next);
        var (name, happen) = next;
        await happen();
        Counts[name] = Counts.GetValueOrDefault(name) + 1;
        return name;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var bucket in _buckets)
            await bucket.DisposeAsync();
    }

    private async Task RenameAsync()
    {
        var id = await Holds.AnyArchivedAsync();
        archiver.RenameSource("main", "chat");
        await _verbs.RefusedAsync("archiver source rename main chat", ["archive"], ["reconcile", "--fix", "--yes"], ["erase", id, "--yes"]);
        if (random.Next(2) == 0)
        {
            await _verbs.DoneAsync("source", "rename", "main", "chat");
            await _verbs.UnlessLockedAsync(["archive", "--max-sessions", "5"]);
            archiver.RenameSource("chat", "main");
            await _verbs.DoneAsync("source", "rename", "chat", "main");
        }
        else
        {
            archiver.RenameSource("chat", "main");
        }
    }

    private async Task MapTwiceAsync()
    {
        archiver
            .With("Sources:second:Preset", "ended-at")
            .With("Sources:second:Prefix", "second")
            .With("Sources:second:ConnectionString", archiver.Value("Sources:main:ConnectionString"))
            .With("Sources:second:Policies:idle:Action", "Archive")
            .With("Sources:second:Policies:idle:IdleFor", "90d");
        var result = await archiver.RunAsync("archive", "--max-sessions", "5");
        foreach (var key in new[] { "Preset", "Prefix", "ConnectionString", "Policies:idle:Action", "Policies:idle:IdleFor" })
            archiver.With($"Sources:second:{key}", null);
        Assert.True(result.ExitCode is 2 or 3, $"{result.ExitCode} {result.Output}{result.Error}");
    }

    private async Task CopyDatabaseAsync()
    {
        var id = await Holds.AnyArchivedAsync();
        var original = archiver.Value("Sources:main:ConnectionString");
        await using var copy = await CopyAsync();
        archiver
            .With("Sources:main:ConnectionString", copy.ConnectionString + ";Timeout=300")
            .With("Discard:After", "1s")
            .With("Discard:Notice", "1s");
        var objects = await Bucket.ListKeysAsync(cancellationToken: Token);
        try
        {
            await _verbs.RefusedAsync("archiver ledger own", ["discard", "--yes"], ["reconcile", "--fix", "--yes"], ["erase", id, "--yes"]);
        }
        finally
        {
            archiver.With("Sources:main:ConnectionString", original).With("Discard:After", null).With("Discard:Notice", null);
        }
        await Claims.UntouchedAsync(objects, Bucket, Token);
    }

    // The writers come back at once, and a template must have no visitors.
    private async Task<TestDatabase> CopyAsync()
    {
        await using var admin = archiver.Database.OfItsServer();
        await ExecuteAsync(admin, $"ALTER DATABASE {archiver.Database.Name} ALLOW_CONNECTIONS false");
        try
        {
            return await TestDatabase.CopyAsync(archiver.Database, Token);
        }
        finally
        {
            await ExecuteAsync(admin, $"ALTER DATABASE {archiver.Database.Name} ALLOW_CONNECTIONS true");
        }
    }

    private async Task MoveBucketAsync()
    {
        var from = Bucket;
        var to = await TestBucket.CreateAsync(servers, Token);
        _buckets.Add(to);
        foreach (var key in await from.ListKeysAsync(cancellationToken: Token))
            await to.Client.CopyObjectAsync(
                new CopyObjectRequest
                {
                    SourceBucket = from.Name,
                    SourceKey = key,
                    DestinationBucket = to.Name,
                    DestinationKey = key,
                },
                Token
            );
        archiver.With("Storage:Bucket", to.Name);
        await archiver.RunAsync("reconcile", "--fix", "--yes");
        await _verbs.DoneAsync("ledger", "move", "--from", $"s3://{from.Name}", "--yes");
        oracle.MoveTo(to);
        // What was left behind is nobody's any more.
        foreach (var key in await from.ListKeysAsync(cancellationToken: Token))
            await from.Client.DeleteObjectAsync(from.Name, key, Token);
    }

    private async Task WriteLateAsync()
    {
        var id = await Holds.AnyArchivedAsync();
        var message = await archiver.Database.ScalarAsync<long>(
            $"INSERT INTO chat_messages (session_id, role, content, timestamp) VALUES ('{id}', 'user', 'late', now() - interval '200 "
                + "days') RETURNING id",
            Token
        );
        await _verbs.DoneAsync("restore", id);
        await Claims.RestoredAsync([id], Token);
        // A writer may have changed it meanwhile; the archiver must not have.
        Assert.Equal(
            0,
            await archiver.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM shadow.versions WHERE tab = 'messages' AND key = '{message}' AND starts_with(who, 'archiver')",
                Token
            )
        );
    }

    private static async Task ExecuteAsync(Npgsql.NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Token);
    }
}

using Amazon.S3.Model;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Postgres;
using Archiver.Core.Reconciliation;
using Archiver.Core.Sources;
using Archiver.Integration.Tests.Lifecycle;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Microsoft.Extensions.Logging.Abstractions;

namespace Archiver.Integration.Tests.Proof;

/// <summary>
/// What people do to an archiver, in random order, each with what the model expects: it is refused, or survived, and nothing but what they
/// asked for is another than before.
/// </summary>
internal sealed class ModelMishaps(ArchiverFixture archiver, TestServers servers, Oracle oracle, ChatModel model, Random random)
{
    private readonly List<Func<ModelSession, Task>> _left = [];

    /// <summary>Whether each of them has happened at least once.</summary>
    public bool EachHappened { get; private set; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>
    /// Lets the next one happen, each once before one happens again; false when there is nothing yet that it could happen to.
    /// </summary>
    public async Task<bool> HappenAsync()
    {
        if (model.Sessions.Values.FirstOrDefault(s => s.Archived && !model.IsHeld(s)) is not { } session)
            return false;
        if (_left.Count == 0)
            _left.AddRange([WriteLateAsync, _ => RunUnderAnotherNameAsync(), EraseAndBeginAgainAsync, CopyDatabaseAsync, MoveBucketAsync]);
        var next = _left[random.Next(_left.Count)];
        _left.Remove(next);
        await next(session);
        EachHappened |= _left.Count == 0;
        return true;
    }

    private async Task WriteLateAsync(ModelSession session)
    {
        model.Steps.Add($"late message in {session.Key[..4]}");
        session.Late.Add(model.NextMessage);
        session.Messages.Add(model.NextMessage, "late");
        await archiver.ExecuteAsync(
            $"INSERT INTO chat_messages (id, session_id, role, content, timestamp) VALUES ({model.NextMessage++}, "
                + $"$1, 'user', 'late', now() - interval '{session.Days} days')",
            session.Key
        );
    }

    /// <summary>What lives under the key then is another conversation, which is archived and restored as any other.</summary>
    private async Task EraseAndBeginAgainAsync(ModelSession session)
    {
        model.Steps.Add($"erase {session.Key[..4]}, and begin again");
        Assert.True((await archiver.EraseAsync(new() { Ids = [session.Key] }, Token)).Complete);
        model.Sessions[session.Key] = new(session.Key)
        {
            Days = session.Days,
            User = session.User,
            BegunNow = true,
        };
        // An erasure covers what began, or was copied, in the second in which it happened.
        var over = await archiver.Database.ScalarAsync<long>("SELECT ceil(extract(epoch FROM clock_timestamp()))::bigint", Token);
        await Eventually.TrueAsync(
            async () => await archiver.Database.ScalarAsync<bool>($"SELECT clock_timestamp() > to_timestamp({over})", Token),
            Token
        );
        await archiver.ExecuteAsync(
            "INSERT INTO chat_sessions (session_id, user_id, created_at, last_activity) VALUES ($1, "
                + $"'{session.User}', clock_timestamp(), now() - interval '{session.Days} days')",
            session.Key
        );
    }

    /// <summary>
    /// As after a renaming in the configuration, or a second mapping of the same tables: holds, locks and archives would not be seen.
    /// </summary>
    private async Task RunUnderAnotherNameAsync()
    {
        model.Steps.Add("run under another name");
        var settings = archiver.Settings with
        {
            Sources = [archiver.Source with { Name = "other", Prefix = "other", Policies = [model.Policy with { Source = "other" }] }],
        };
        await using var connections = new ConnectionCatalog(settings);
        var summary = await new PolicyRunner(
            settings,
            connections,
            archiver.Store,
            TimeProvider.System,
            NullLogger<PolicyRunner>.Instance
        ).RunAsync(new RunRequest(settings.Sources[0], settings.Sources[0].Policies[0]), null, Token);
        Assert.Equal((RunOutcome.Refused, 0L), (summary.Outcome, summary.Sessions));
    }

    /// <summary>
    /// The copy has the same ledger. It destroys nothing before it is told that it owns it, and then nothing but what is in a bucket of its
    /// own.
    /// </summary>
    private async Task CopyDatabaseAsync(ModelSession session)
    {
        model.Steps.Add("copy of the database");
        var before = await archiver.Bucket.ListKeysAsync(cancellationToken: Token);
        await using var copy = archiver.Over(await TestDatabase.CopyAsync(archiver.Database, Token), s => s with { Discard = new()
                {
                    After = TimeSpan.FromMilliseconds(1),
                    Notice = TimeSpan.Zero,
                } });

        Assert.Equal(RunOutcome.Refused, (await copy.DiscardAsync(Token)).Outcome);
        Assert.Equal(RunOutcome.Refused, (await copy.EraseAsync(new() { Ids = [session.Key] }, Token)).Outcome);
        Assert.Equal(FailureKind.Refused, (await Assert.ThrowsAsync<ArchiverException>(() => ReconcileAsync(copy))).Kind);

        await copy.Database.ExecuteAsync("UPDATE archiver.holds SET removed_at = now()", Token);
        copy.Use(await CopyBucketAsync());
        Assert.True((await MoveAsync(copy, archiver.Bucket)).Applied);
        await LedgerOwner.OwnAsync(copy.Connections, copy.Source.Name, copy: false, from: null, "test", Token);
        Assert.True((await copy.EraseAsync(new() { Ids = [session.Key] }, Token)).Complete);
        Assert.Equal(RunOutcome.Done, (await copy.DiscardAsync(Token)).Outcome);
        Assert.Equal(0, await copy.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'", Token));
        Assert.Equal(before, await archiver.Bucket.ListKeysAsync(cancellationToken: Token));
        // The copying ended the pool's connections, which their next use finds out.
        await Eventually.TrueAsync(async () => await Record.ExceptionAsync(AskAsync) is null, Token);
    }

    private async Task AskAsync()
    {
        await using var connection = await archiver.Connections.OpenAsync(Token);
        await connection.ExecuteAsync("SELECT 1", Token);
    }

    /// <summary>The ledger believes a move when every object was read at its new place, and the old place is nobody's then.</summary>
    private async Task MoveBucketAsync(ModelSession session)
    {
        model.Steps.Add("bucket moved");
        var (from, to) = (archiver.Bucket, await CopyBucketAsync());
        var key = (
            await archiver.Database.ScalarAsync<string>(
                "SELECT o.key FROM archiver.archives AS a JOIN archiver.objects AS o ON o.id = a.object_id WHERE a.session_id = "
                    + $"'{session.Key}' AND a.state = 'archived'",
                Token
            )
        )!;
        var right = await to.GetRawAsync(key, Token);
        archiver.Use(to);
        if (random.Next(2) == 0)
            await ReconcileAsync(archiver);
        await to.Client.DeleteObjectAsync(to.Name, key, Token);
        Assert.Equal((false, key), await RefusedAsync());
        await to.PutRawAsync(key, [.. right.Reverse()], Token);
        Assert.Equal((false, key), await RefusedAsync());
        await to.PutRawAsync(key, right, Token);
        var moved = await MoveAsync(archiver, from);
        Assert.True(moved.Applied, string.Join("; ", moved.Problems));
        oracle.MoveTo(to);
        foreach (var left in await from.ListKeysAsync(cancellationToken: Token))
            await from.Client.DeleteObjectAsync(from.Name, left, Token);

        async Task<(bool, string)> RefusedAsync()
        {
            var report = await MoveAsync(archiver, from);
            return (report.Applied, Assert.Single(report.Problems).Key);
        }
    }

    private async Task<TestBucket> CopyBucketAsync()
    {
        var (from, to) = (archiver.Bucket, await TestBucket.CreateAsync(servers, Token));
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
        return to;
    }

    private static Task<MoveReport> MoveAsync(ArchiverFixture of, TestBucket from) =>
        new LedgerMover(of.Settings, of.Catalog, of.Store, TimeProvider.System).MoveAsync(
            of.Source.Name,
            new($"s3://{from.Name}", FromPrefix: null, Apply: true),
            "test",
            progress: null,
            Token
        );

    private static Task<ReconcileReport> ReconcileAsync(ArchiverFixture of) =>
        new Reconciler(of.Settings, of.Catalog, of.Store, TimeProvider.System).RunAsync(of.Source.Name, fix: true, "test", Token);
}

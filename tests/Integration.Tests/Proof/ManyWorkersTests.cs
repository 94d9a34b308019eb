using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Sources;
using Archiver.Testing;
using Archiver.Testing.Proof;
using Microsoft.Extensions.Logging.Abstractions;

namespace Archiver.Integration.Tests.Proof;

/// <summary>
/// Ten workers on one backlog while the application writes: each session is archived once, and the application never is a deadlock's
/// victim.
/// </summary>
public sealed class ManyWorkersTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_session_id_fkey")]
    [InlineData(
        "ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_session_id_fkey, ADD FOREIGN KEY (session_id) REFERENCES chat_sessions"
    )]
    public async Task Ten_workers_and_writers_lose_nothing_with_and_without_foreign_keys(string keys)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 60, young: 5, configure: s =>
            s with
            {
                Batch = s.Batch with { Sessions = 5 },
            }
        );
        await archiver.ExecuteAsync($"{keys};", null);
        var oracle = await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token);
        await using var waits = LockWaits.Watch(archiver.Database.ConnectionString);
        await using var writers = new ChatWriters(archiver.Database.ConnectionString, seed: 1).Start(3);

        var summaries = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => RunAsync(archiver)));
        Assert.Empty(await oracle.ViolationsAsync(atRest: false, Token));
        await writers.StopAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"{waits}");

        Assert.InRange(waits.OfApplication, TimeSpan.Zero, LockWaits.Bound);
        Assert.InRange(waits.OfArchiver, TimeSpan.Zero, LockWaits.Bound);
        Assert.All(summaries, s => Assert.Contains(s.Outcome, new[] { RunOutcome.Done, RunOutcome.Partial, RunOutcome.LockedElsewhere }));
        Assert.Contains(summaries, s => s.Sessions > 0);
        await archiver.RunAsync(Token);
        Assert.Empty(await oracle.ViolationsAsync(atRest: true, Token));
        Assert.DoesNotContain("40P01", writers.Errors.Keys);
        Assert.True(writers.Transactions > 0);
    }

    /// <summary>A worker of its own: nothing is shared with the others but the database and the bucket.</summary>
    private static async Task<RunSummary> RunAsync(ArchiverFixture archiver)
    {
        await using var connections = new ConnectionCatalog(archiver.Settings);
        return await new PolicyRunner(
            archiver.Settings,
            connections,
            archiver.Store,
            TimeProvider.System,
            NullLogger<PolicyRunner>.Instance
        ).RunAsync(new RunRequest(archiver.Source, archiver.Policy), null, Token);
    }
}

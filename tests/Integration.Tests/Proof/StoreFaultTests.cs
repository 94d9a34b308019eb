using System.Diagnostics;
using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Proof;

/// <summary>
/// A run while the way to the store does what networks and servers do. Whatever it is, nothing is lost or half done, retries are bounded,
/// the outcome says what happened, and the next run finishes the work.
/// </summary>
public sealed class StoreFaultTests(TestServers servers)
{
    private const int Idle = 4;

    // Only a fault that lasts is waited out, so a busy machine may take its time over one that passes.
    private static readonly TimeSpan Lasting = TimeSpan.FromSeconds(1),
        Passing = TimeSpan.FromSeconds(30);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // A passing fault: each object's request meets it for the first time only.
    [Theory]
    [InlineData("PUT", StoreFault.Latency)]
    [InlineData("PUT", StoreFault.InternalError)]
    [InlineData("PUT", StoreFault.SlowDown)]
    [InlineData("PUT", StoreFault.ResetBefore)]
    [InlineData("PUT", StoreFault.AnswerLost)]
    [InlineData("PUT", StoreFault.Silence)]
    [InlineData("GET", StoreFault.Latency)]
    [InlineData("GET", StoreFault.SlowDown)]
    [InlineData("GET", StoreFault.AccessDenied)]
    [InlineData("GET", StoreFault.ResetInBody)]
    [InlineData("GET", StoreFault.Truncated)]
    [InlineData("GET", StoreFault.WrongByte)]
    [InlineData("GET", StoreFault.Trickle)]
    [InlineData("GET", StoreFault.Silence)]
    public async Task Survives_a_fault_that_passes(string method, StoreFault fault)
    {
        HashSet<string> met = [];
        await using var proof = await FaultyAsync(
            (m, path) =>
            {
                lock (met)
                    return m == method && IsObject(path) && met.Add(path) ? fault : StoreFault.None;
            },
            Passing,
            fault
        );

        var summary = await proof.Archiver.RunAsync(Token);

        Assert.True(proof.Proxy.Faults > 0);
        Assert.Empty(await proof.Oracle.ViolationsAsync(atRest: true, Token));
        // What the worker cannot tell from a lasting fault may fail a run, or a session, once.
        if (fault is StoreFault.AccessDenied)
            Assert.Equal((RunOutcome.Failed, 0L), (summary.Outcome, summary.Sessions));
        else if (fault is StoreFault.WrongByte)
            Assert.Equal((RunOutcome.Partial, (long)Idle), (summary.Outcome, summary.Failed));
        else
            Assert.Equal((RunOutcome.Done, (long)Idle), (summary.Outcome, summary.Sessions));
        await proof.FinishAsync(Idle);
    }

    // A fault that lasts: the run ends within its budget, having deleted nothing that it could not prove.
    [Theory]
    [InlineData("PUT", StoreFault.SlowDown, RunOutcome.Failed)]
    [InlineData("PUT", StoreFault.AccessDenied, RunOutcome.Failed)]
    [InlineData("PUT", StoreFault.AnswerLost, RunOutcome.Failed)]
    [InlineData("PUT", StoreFault.ResetBefore, RunOutcome.Failed)]
    [InlineData("PUT", StoreFault.Silence, RunOutcome.Failed)]
    [InlineData("GET", StoreFault.InternalError, RunOutcome.Failed)]
    [InlineData("GET", StoreFault.Truncated, RunOutcome.Failed)]
    [InlineData("GET", StoreFault.ResetInBody, RunOutcome.Failed)]
    [InlineData("GET", StoreFault.WrongByte, RunOutcome.Partial)]
    public async Task Deletes_nothing_unproven_and_gives_up_in_time_under_a_fault_that_stays(
        string method,
        StoreFault fault,
        RunOutcome outcome
    )
    {
        await using var proof = await FaultyAsync((m, path) => m == method && IsObject(path) ? fault : StoreFault.None, Lasting, fault);
        var started = Stopwatch.GetTimestamp();

        var summary = await proof.Archiver.RunAsync(Token);

        // The budget is a second, and so is a request that is not answered. A busy machine took 26 s for the rest.
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromMinutes(2));
        Assert.True(proof.Proxy.Faults > 0);
        Assert.Empty(await proof.Oracle.ViolationsAsync(atRest: true, Token));
        Assert.Equal(outcome, summary.Outcome);
        Assert.Equal(0, summary.Sessions);
        Assert.Equal(outcome == RunOutcome.Partial, summary.Error is null);
        Assert.InRange(proof.Proxy.Requests.Count, 1, 200);
        await proof.FinishAsync(Idle);
    }

    [Fact]
    public async Task Fails_clearly_while_the_store_is_away_and_goes_on_when_it_is_back()
    {
        await using var proof = await FaultyAsync((_, _) => StoreFault.ResetBefore, Lasting, StoreFault.ResetBefore);

        var summary = await proof.Archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Failed, 0L), (summary.Outcome, summary.Sessions));
        Assert.Contains(proof.Proxy.Endpoint.Authority, summary.Error, StringComparison.Ordinal);
        Assert.Empty(await proof.Oracle.ViolationsAsync(atRest: true, Token));
        await proof.FinishAsync(Idle);
    }

    private static bool IsObject(string path) => path.Contains("/chat_archives/2", StringComparison.Ordinal);

    private async Task<Faulty> FaultyAsync(Func<string, string, StoreFault> rule, TimeSpan budget, StoreFault fault)
    {
        // Only what never comes is waited out; all else may be slow on a busy machine.
        var timeout = fault is StoreFault.Silence or StoreFault.Trickle or StoreFault.Latency ? Lasting : Passing;
        FaultProxy? proxy = null;
        var archiver = await ArchiverFixture.CreateAsync(servers, Token, Idle, young: 1, configure: s =>
        {
            proxy = new FaultProxy(s.Storage.Endpoint!, rule);
            return s with
            {
                Storage = s.Storage with { Endpoint = proxy.Endpoint, Timeout = timeout, UploadConcurrency = Idle },
                Retry = s.Retry with { Budget = budget },
            };
        });
        return new(archiver, proxy!, await Oracle.AttachAsync(archiver.Database, archiver.Bucket, Token));
    }

    /// <summary>An installation whose worker reaches its store through the proxy; the oracle reads past it.</summary>
    private sealed record Faulty(ArchiverFixture Archiver, FaultProxy Proxy, Oracle Oracle) : IAsyncDisposable
    {
        /// <summary>The next run, without faults, takes whatever is left.</summary>
        public async Task FinishAsync(int sessions)
        {
            await Archiver.ExecuteAsync("DELETE FROM archiver.quarantine", null);
            Archiver.Store = Core.Storage.ArchiveStoreFactory.Create(
                Archiver.Bucket.Settings,
                Archiver.Settings.Retry,
                TimeProvider.System,
                Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance
            );
            var summary = await Archiver.RunAsync(Token);
            Assert.Equal(RunOutcome.Done, summary.Outcome);
            Assert.Empty(await Oracle.ViolationsAsync(atRest: true, Token));
            Assert.Equal(sessions, (await Oracle.CountAsync(Token)).SessionsArchived);
        }

        public async ValueTask DisposeAsync()
        {
            await Archiver.DisposeAsync();
            await Proxy.DisposeAsync();
        }
    }
}

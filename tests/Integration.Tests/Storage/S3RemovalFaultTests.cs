using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Archiver.Core.Storage.S3;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Storage;

/// <summary>A removal whose answers fail or lie: no key counts as gone that is still there.</summary>
public sealed class S3RemovalFaultTests(TestServers servers) : VersionedObjects(servers)
{
    // The answer also lies: it says that the first one is gone.
    [Fact]
    public async Task Believes_no_answer_and_reports_what_a_listing_still_finds()
    {
        await using var bucket = await VersionedAsync();
        await using var proxy = new FaultProxy(Servers.S3.Endpoint, (method, _) =>
            method == "POST" ? StoreFault.PartlyRemoved : StoreFault.None
        );
        using var store = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System);

        var outcome = await store.DeleteAllVersionsAsync(Names, Token);

        // The store answers, so it is no outage; each key may be tried again.
        Assert.Equal(Keys, outcome.Failures.Keys.Order(StringComparer.Ordinal));
        Assert.All(outcome.Failures.Values, f => Assert.Equal(StorageFailure.Transient, f.Failure));
        Assert.Null(outcome.Outage);
    }

    [Fact]
    public async Task A_store_that_stops_answering_is_an_outage_and_no_key_counts_as_gone()
    {
        await using var bucket = await VersionedAsync();
        await using var proxy = new FaultProxy(Servers.S3.Endpoint, (method, _) =>
            method == "POST" ? StoreFault.InternalError : StoreFault.None
        );
        using var store = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System);

        var outcome = await store.DeleteAllVersionsAsync(Names, Token);

        Assert.NotNull(outcome.Outage);
        Assert.Equal(Keys, outcome.Failures.Keys.Order(StringComparer.Ordinal));
    }

    // Of the first look or of the last: what was only listed is not gone.
    [Theory]
    [InlineData(12, false)]
    [InlineData(12, true)]
    [InlineData(32, false)]
    [InlineData(32, true)]
    public async Task A_listing_that_fails_makes_no_key_count_as_gone_that_is_still_there(int failing, bool retried)
    {
        string[] many = [.. Enumerable.Range(10, 20).Select(i => $"p/{i}")];
        var listings = 0;
        await using var bucket = await TestBucket.CreateAsync(Servers, Token, versioned: true);
        await Parallel.ForEachAsync(many, Token, async (key, token) => await bucket.PutRawAsync(key, [1], token));
        await using var proxy = new FaultProxy(Servers.S3.Endpoint, (_, path) =>
            path.Contains("versions", StringComparison.Ordinal) && Interlocked.Increment(ref listings) == failing
                ? StoreFault.SlowDown
                : StoreFault.None
        );
        // Few at once, so that some are through before the one that fails.
        using var once = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint, UploadConcurrency = 2 }, TimeProvider.System);
        IArchiveStore store = retried
            ? new ResilientArchiveStore(once, new RetrySettings { Budget = TimeSpan.FromSeconds(20) }, TimeProvider.System)
            : once;

        var outcome = await store.DeleteAllVersionsAsync([.. many.Select(k => new ObjectName(k))], Token);

        var left = await LeftAsync(bucket);
        Assert.Equal(1, proxy.Faults);
        Assert.DoesNotContain(left, outcome.IsGone);
        Assert.Equal(retried, outcome.Failures.Count == 0);
        Assert.Equal(failing < many.Length && !retried ? many.Length : 0, left.Count);
    }

    [Theory]
    [InlineData(StoreFault.InternalError, false)]
    [InlineData(StoreFault.ResetBefore, true)]
    public async Task A_failure_while_removing_one_by_one_is_an_outcome_and_no_exception(StoreFault fault, bool outage)
    {
        await using var bucket = await VersionedAsync();
        await using var proxy = new FaultProxy(Servers.S3.Endpoint, (method, path) =>
            (method, path.Contains("p/b", StringComparison.Ordinal)) switch
            {
                ("POST", _) => StoreFault.NotImplemented,
                ("DELETE", true) => fault,
                _ => StoreFault.None,
            }
        );
        using var store = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System);

        var outcome = await store.DeleteAllVersionsAsync(Names, Token);

        Assert.Equal(outage, outcome.Outage is not null);
        Assert.Equal(StorageFailure.Transient, outcome.Failures["p/b"].Failure);
        Assert.DoesNotContain(Keys.Intersect(await LeftAsync(bucket)), outcome.IsGone);
        if (!outage)
            Assert.Equal(["p/a~2", "p/b", "p/b"], await LeftAsync(bucket));
    }
}

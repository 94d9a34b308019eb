using Amazon.S3;
using Amazon.S3.Model;
using Archiver.Core.Configuration;
using Archiver.Core.Storage;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Storage;

/// <summary>Removing many objects at once: every version of exactly those, and only what a listing does not find any more counts as gone.</summary>
public sealed class S3RemovalTests(TestServers servers)
{
    private static readonly string[] Keys = ["p/a", "p/b", "p/c"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Removes_every_version_and_marker_of_many_keys_in_one_request()
    {
        await using var bucket = await VersionedAsync();
        await using var proxy = new FaultProxy(servers.S3.Endpoint, (_, _) => StoreFault.None);
        using var store = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System);

        var outcome = await store.DeleteAllVersionsAsync([.. Keys, "p/never-was"], Token);

        Assert.Equal((0, null), (outcome.Failures.Count, outcome.Outage));
        Assert.Equal(["p/a~2"], await LeftAsync(bucket));
        Assert.Equal(1, proxy.Requests.Count(r => r.Method == "POST"));
        Assert.DoesNotContain(proxy.Requests, r => r.Method == "DELETE");
    }

    // A real refusal of some of the keys: S3's own legal hold.
    [Fact]
    public async Task Says_of_each_key_alone_why_it_is_not_gone()
    {
        await using var bucket = await TestBucket.CreateAsync(servers, Token, objectLock: true);
        using var store = new S3ArchiveStore(bucket.Settings, TimeProvider.System);
        foreach (var key in Keys)
            await bucket.PutRawAsync(key, [1], Token);
        await SetHoldAsync(ObjectLockLegalHoldStatus.On);

        var outcome = await store.DeleteAllVersionsAsync(Keys, Token);

        Assert.Null(outcome.Outage);
        var (locked, failure) = Assert.Single(outcome.Failures);
        Assert.Equal(("p/b", StorageFailure.Permanent), (locked, failure.Failure));
        Assert.Contains("cannot be removed (AccessDenied): it is under object lock", failure.Message, StringComparison.Ordinal);
        Assert.Equal(["p/b"], await LeftAsync(bucket));
        await SetHoldAsync(ObjectLockLegalHoldStatus.Off);

        Task SetHoldAsync(ObjectLockLegalHoldStatus status) => bucket.Client.PutObjectLegalHoldAsync(
            new PutObjectLegalHoldRequest { BucketName = bucket.Name, Key = "p/b", LegalHold = new ObjectLockLegalHold { Status = status } }, Token);
    }

    // The answer also lies: it says that the first one is gone.
    [Fact]
    public async Task Believes_no_answer_and_reports_what_a_listing_still_finds()
    {
        await using var bucket = await VersionedAsync();
        await using var proxy = new FaultProxy(servers.S3.Endpoint, (method, _) => method == "POST" ? StoreFault.PartlyRemoved : StoreFault.None);
        using var store = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System);

        var outcome = await store.DeleteAllVersionsAsync(Keys, Token);

        // The store answers, so it is no outage; each key may be tried again.
        Assert.Equal(Keys, outcome.Failures.Keys.Order(StringComparer.Ordinal));
        Assert.All(outcome.Failures.Values, f => Assert.Equal(StorageFailure.Transient, f.Failure));
        Assert.Null(outcome.Outage);
    }

    [Theory]
    [InlineData(StoreFault.PartlyRemoved)]
    [InlineData(StoreFault.AnswerLost)]
    [InlineData(StoreFault.ResetBefore)]
    [InlineData(StoreFault.SlowDown)]
    public async Task Tries_again_what_is_not_gone_after(StoreFault fault)
    {
        var left = 1;
        await using var bucket = await VersionedAsync();
        await using var proxy = new FaultProxy(servers.S3.Endpoint, (method, _) => method == "POST" && Interlocked.Decrement(ref left) >= 0 ? fault : StoreFault.None);
        using var store = new ResilientArchiveStore(
            new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System), new RetrySettings { Budget = TimeSpan.FromSeconds(20) }, TimeProvider.System);

        var outcome = await store.DeleteAllVersionsAsync(Keys, Token);

        Assert.Equal((0, 1), (outcome.Failures.Count, proxy.Faults));
        Assert.Equal(["p/a~2"], await LeftAsync(bucket));
        // What was done although its answer was lost is not asked for twice.
        Assert.Equal(fault == StoreFault.AnswerLost ? 1 : 2, proxy.Requests.Count(r => r.Method == "POST"));
    }

    [Theory]
    [InlineData(StoreFault.NotImplemented)]
    [InlineData(StoreFault.AccessDenied)]
    public async Task Removes_one_by_one_where_the_server_answers_to_the_many(StoreFault fault)
    {
        await using var bucket = await VersionedAsync();
        await using var proxy = new FaultProxy(servers.S3.Endpoint, (method, _) => method == "POST" ? fault : StoreFault.None);
        using var store = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System);

        var outcome = await store.DeleteAllVersionsAsync(Keys, Token);

        Assert.Empty(outcome.Failures);
        Assert.Equal(["p/a~2"], await LeftAsync(bucket));
    }

    [Fact]
    public async Task A_store_that_stops_answering_is_an_outage_and_no_key_counts_as_gone()
    {
        await using var bucket = await VersionedAsync();
        await using var proxy = new FaultProxy(servers.S3.Endpoint, (method, _) => method == "POST" ? StoreFault.InternalError : StoreFault.None);
        using var store = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System);

        var outcome = await store.DeleteAllVersionsAsync(Keys, Token);

        Assert.NotNull(outcome.Outage);
        Assert.Equal(Keys, outcome.Failures.Keys.Order(StringComparer.Ordinal));
    }

    /// <summary>Three keys with versions and a delete marker, and a neighbour that must stay.</summary>
    private async Task<TestBucket> VersionedAsync()
    {
        var bucket = await TestBucket.CreateAsync(servers, Token, versioned: true);
        foreach (var key in Keys.Append("p/a~2").Concat(Keys))
            await bucket.PutRawAsync(key, [1], Token);
        await bucket.Client.DeleteObjectAsync(bucket.Name, "p/c", Token);
        return bucket;
    }

    private static async Task<IReadOnlyList<string>> LeftAsync(TestBucket bucket) =>
        [.. ((await bucket.Client.ListVersionsAsync(bucket.Name, Token)).Versions ?? []).Select(v => v.Key)];
}

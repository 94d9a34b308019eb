using Amazon.S3;
using Amazon.S3.Model;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Archiver.Core.Storage.S3;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Storage;

/// <summary>
/// Removing many objects at once: every version of exactly those, and only what a listing does not find any more counts as gone.
/// </summary>
public sealed class S3RemovalTests(TestServers servers) : VersionedObjects(servers)
{
    [Fact]
    public async Task Removes_every_version_and_marker_of_many_keys_in_one_request()
    {
        await using var bucket = await VersionedAsync();
        await using var proxy = new FaultProxy(Servers.S3.Endpoint, (_, _) => StoreFault.None);
        using var store = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System);

        var outcome = await store.DeleteAllVersionsAsync([.. Names, new("p/never-was")], Token);

        Assert.Equal((0, null), (outcome.Failures.Count, outcome.Outage));
        Assert.Equal(["p/a~2"], await LeftAsync(bucket));
        Assert.Equal(1, proxy.Requests.Count(r => r.Method == "POST"));
        Assert.DoesNotContain(proxy.Requests, r => r.Method == "DELETE");
    }

    // A real refusal of some of the keys: S3's own legal hold.
    [Fact]
    public async Task Says_of_each_key_alone_why_it_is_not_gone()
    {
        await using var bucket = await TestBucket.CreateAsync(Servers, Token, objectLock: true);
        using var store = new S3ArchiveStore(bucket.Settings, TimeProvider.System);
        foreach (var key in Keys)
            await bucket.PutRawAsync(key, [1], Token);
        await SetHoldAsync(ObjectLockLegalHoldStatus.On);

        var outcome = await store.DeleteAllVersionsAsync(Names, Token);

        Assert.Null(outcome.Outage);
        var (locked, failure) = Assert.Single(outcome.Failures);
        Assert.Equal(("p/b", StorageFailure.Permanent), (locked, failure.Failure));
        Assert.Contains("cannot be removed (AccessDenied): it is under object lock", failure.Message, StringComparison.Ordinal);
        Assert.Equal(["p/b"], await LeftAsync(bucket));
        await SetHoldAsync(ObjectLockLegalHoldStatus.Off);

        Task SetHoldAsync(ObjectLockLegalHoldStatus status) =>
            bucket.Client.PutObjectLegalHoldAsync(
                new PutObjectLegalHoldRequest
                {
                    BucketName = bucket.Name,
                    Key = "p/b",
                    LegalHold = new ObjectLockLegalHold { Status = status },
                },
                Token
            );
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
        await using var proxy = new FaultProxy(Servers.S3.Endpoint, (method, _) =>
            method == "POST" && Interlocked.Decrement(ref left) >= 0 ? fault : StoreFault.None
        );
        using var store = new ResilientArchiveStore(
            new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System),
            new RetrySettings { Budget = TimeSpan.FromSeconds(20) },
            TimeProvider.System
        );

        var outcome = await store.DeleteAllVersionsAsync(Names, Token);

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
        await using var proxy = new FaultProxy(Servers.S3.Endpoint, (method, _) => method == "POST" ? fault : StoreFault.None);
        using var store = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System);

        var outcome = await store.DeleteAllVersionsAsync(Names, Token);

        Assert.Empty(outcome.Failures);
        Assert.Equal(["p/a~2"], await LeftAsync(bucket));
    }

    [Theory]
    [InlineData("DELETE", 1)]
    [InlineData("GET", 3)]
    public async Task An_upload_that_cannot_be_ended_keeps_its_own_key_and_an_unread_list_of_uploads_keeps_all(string method, int kept)
    {
        await using var bucket = await VersionedAsync();
        foreach (var key in Keys)
            await bucket.Client.InitiateMultipartUploadAsync(bucket.Name, key, Token);
        await using var proxy = new FaultProxy(Servers.S3.Endpoint, (m, path) =>
            m == method && (path.Contains("?uploads", StringComparison.Ordinal) || path.Contains("p/b?uploadId", StringComparison.Ordinal))
                ? StoreFault.AccessDenied
                : StoreFault.None
        );
        using var store = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System);

        var outcome = await store.DeleteAllVersionsAsync(Names, Token);

        Assert.Equal(kept, outcome.Failures.Count);
        Assert.Contains("p/b", outcome.Failures);
        Assert.Null(outcome.Outage);
        var uploads = (
            await bucket.Client.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = bucket.Name }, Token)
        ).MultipartUploads
            ?? [];
        Assert.Equal(kept, uploads.Count);
    }

    [Fact]
    public async Task Lists_the_uploads_of_no_more_than_the_folders_of_its_keys()
    {
        await using var bucket = await VersionedAsync();
        await using var proxy = new FaultProxy(Servers.S3.Endpoint, (_, _) => StoreFault.None);
        using var store = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System);

        await store.DeleteAllVersionsAsync([new("p/a"), new("other/b"), new("alone")], Token);

        var listings = proxy
            .Requests.Select(r => Uri.UnescapeDataString(r.Path))
            .Where(p => p.Contains("?uploads", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
        Assert.Collection(
            listings,
            p => Assert.Contains("prefix=alone", p, StringComparison.Ordinal),
            p => Assert.Contains("prefix=other/b", p, StringComparison.Ordinal),
            p => Assert.Contains("prefix=p/a", p, StringComparison.Ordinal)
        );
    }

    // As MinIO does.
    [Fact]
    public async Task Parts_are_ended_where_the_server_lists_uploads_of_one_key_only()
    {
        await using var bucket = await VersionedAsync();
        foreach (var key in Keys.Append("p/a~2"))
            await bucket.Client.InitiateMultipartUploadAsync(bucket.Name, key, Token);
        await using var proxy = new FaultProxy(Servers.S3.Endpoint, (_, path) =>
            path.Contains("?uploads", StringComparison.Ordinal)
            && !Keys.Contains(System.Web.HttpUtility.ParseQueryString(new Uri($"http://store{path}").Query)["prefix"])
                ? StoreFault.EmptyListing
                : StoreFault.None
        );
        using var store = new S3ArchiveStore(bucket.Settings with { Endpoint = proxy.Endpoint }, TimeProvider.System);

        var outcome = await store.DeleteAllVersionsAsync(Names, Token);

        Assert.Empty(outcome.Failures);
        var left = await bucket.Client.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = bucket.Name }, Token);
        Assert.Equal(["p/a~2"], (left.MultipartUploads ?? []).Select(u => u.Key));
    }

    [Fact]
    public async Task An_upload_that_somebody_else_ended_is_not_counted_and_is_no_failure()
    {
        await using var bucket = await VersionedAsync();
        Dictionary<string, string> ids = [];
        foreach (var key in Keys)
            ids[key] = (await bucket.Client.InitiateMultipartUploadAsync(bucket.Name, key, Token)).UploadId;
        using var store = new S3ArchiveStore(bucket.Settings, TimeProvider.System);

        var ended = await store.AbortUploadsAsync("p/", TimeSpan.FromHours(-1), IsOursAsync, Token);

        Assert.Equal(2, ended);

        // Between the listing and the end of it.
        async Task<bool> IsOursAsync(string key, CancellationToken token)
        {
            if (key == "p/b")
                await bucket.Client.AbortMultipartUploadAsync(bucket.Name, key, ids[key], token);
            return true;
        }
    }
}

using Amazon.S3;
using Amazon.S3.Model;
using Archiver.Core.Diagnostics;
using Archiver.Core.Storage;
using Archiver.Core.Storage.S3;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Storage;

public sealed class S3VersionedTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_versioned_bucket_that_ignores_the_condition_is_found_out()
    {
        await using var bucket = await TestBucket.CreateAsync(servers, Token, versioned: true);
        using var store = new S3ArchiveStore(bucket.Settings, TimeProvider.System);

        Assert.False(await store.RefusesOverwriteAsync("p", 1, Token));

        await store.PutIfAbsentAsync("p/k", TestContent.Random(1), TestContent.NewAttempt(), Token);
        var second = await store.PutIfAbsentAsync("p/k", TestContent.Random(1), TestContent.NewAttempt(), Token);
        Assert.Equal(PutResult.AlreadyExists, second);
    }

    [Theory]
    [InlineData(10)]
    [InlineData((16 << 20) + 1)]
    public async Task A_read_that_names_its_version_is_not_misled_by_a_later_one(int length)
    {
        await using var bucket = await TestBucket.CreateAsync(servers, Token, versioned: true);
        using var store = new S3ArchiveStore(bucket.Settings, TimeProvider.System);
        var content = TestContent.Random(length);
        var metadata = TestContent.NewAttempt();

        var put = await store.PutIfAbsentAsync("k", content, metadata, Token);
        var again = await store.PutIfAbsentAsync("k", content, metadata, Token);
        await bucket.PutRawAsync("k", [1, 2, 3], Token);
        await bucket.Client.DeleteObjectAsync(bucket.Name, "k", Token);

        Assert.NotNull(put.VersionId);
        Assert.Equal(put, again);
        var name = new ObjectName("k", put.VersionId);
        Assert.Equal(content.Bytes, await TestContent.ReadAsync(await store.OpenAsync(name, Token), Token));
        Assert.Equal(name, (await store.HeadAsync(name, Token))!.Name);
        Assert.Null(await store.OpenAsync(new ObjectName("k"), Token));
        Assert.Null(await store.HeadAsync(new ObjectName("k"), Token));
    }

    [Fact]
    public async Task A_version_that_was_removed_is_absent()
    {
        await using var bucket = await TestBucket.CreateAsync(servers, Token, versioned: true);
        using var store = new S3ArchiveStore(bucket.Settings, TimeProvider.System);
        var put = await store.PutIfAbsentAsync("k", TestContent.Random(1), TestContent.NewAttempt(), Token);
        await bucket.PutRawAsync("k", [1, 2, 3], Token);
        await bucket.Client.DeleteObjectAsync(bucket.Name, "k", put.VersionId, Token);

        Assert.Null(await store.OpenAsync(new ObjectName("k", put.VersionId), Token));
        Assert.Null(await store.HeadAsync(new ObjectName("k", put.VersionId), Token));
    }

    [Fact]
    public async Task Removes_all_versions_and_delete_markers_of_one_key()
    {
        await using var bucket = await TestBucket.CreateAsync(servers, Token, versioned: true);
        using var store = new S3ArchiveStore(bucket.Settings, TimeProvider.System);
        foreach (var key in (string[])["k", "k", "k~2"])
            await bucket.PutRawAsync(key, [1], Token);
        await bucket.Client.DeleteObjectAsync(bucket.Name, "k", Token);
        await bucket.PutRawAsync("k", [2], Token);
        await bucket.Client.DeleteObjectAsync(bucket.Name, "k", Token);

        await store.DeleteAllVersionsAsync(new ObjectName("k"), Token);

        var left = await bucket.Client.ListVersionsAsync(bucket.Name, Token);
        Assert.Equal("k~2", Assert.Single(left.Versions).Key);
    }

    [Fact]
    public async Task Tells_that_an_object_is_locked()
    {
        await using var bucket = await TestBucket.CreateAsync(servers, Token, objectLock: true);
        using var store = new S3ArchiveStore(bucket.Settings, TimeProvider.System);
        var put = await store.PutIfAbsentAsync("k", TestContent.Random(1), TestContent.NewAttempt(), Token);
        await SetHoldAsync(ObjectLockLegalHoldStatus.On);

        var error = await Assert.ThrowsAsync<StorageException>(() => store.DeleteAllVersionsAsync(new ObjectName("k"), Token));

        Assert.Equal(StorageFailure.Permanent, error.Failure);
        Assert.StartsWith(
            $"'k' (version {put.VersionId}) in the bucket '{bucket.Name}' cannot be removed (AccessDenied): ",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.NotNull(await store.HeadAsync(new ObjectName("k"), Token));
        await SetHoldAsync(ObjectLockLegalHoldStatus.Off);

        Task SetHoldAsync(ObjectLockLegalHoldStatus status) =>
            bucket.Client.PutObjectLegalHoldAsync(
                new PutObjectLegalHoldRequest
                {
                    BucketName = bucket.Name,
                    Key = "k",
                    VersionId = put.VersionId,
                    LegalHold = new ObjectLockLegalHold { Status = status },
                },
                Token
            );
    }
}

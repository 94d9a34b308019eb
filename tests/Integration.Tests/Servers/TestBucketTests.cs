using Amazon.S3;
using Amazon.S3.Model;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Servers;

public sealed class TestBucketTests(TestServers servers)
{
    private static readonly byte[] Content = [0, 1, 2, 0xff];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Gives_back_the_bytes_that_were_put()
    {
        await using var bucket = await TestBucket.CreateAsync(servers, Token);
        await bucket.PutRawAsync("a/one", Content, Token);
        await bucket.PutRawAsync("b/two", [], Token);

        Assert.Equal(Content, await bucket.GetRawAsync("a/one", Token));
        Assert.Equal(["a/one"], await bucket.ListKeysAsync("a/", Token));
        Assert.Equal(["a/one", "b/two"], await bucket.ListKeysAsync(cancellationToken: Token));
    }

    [Fact]
    public async Task Says_where_it_is_in_the_products_own_settings()
    {
        await using var bucket = await TestBucket.CreateAsync(servers, Token);
        var settings = bucket.Settings;

        Assert.Equal(
            (servers.S3Endpoint, bucket.Name, servers.S3AccessKey, servers.S3SecretKey, true),
            (settings.Endpoint, settings.Bucket, settings.AccessKey, settings.SecretKey, settings.PathStyle)
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Removes_all_versions_and_itself(bool objectLock)
    {
        await using var observer = await TestBucket.CreateAsync(servers, Token);
        string name;
        await using (var bucket = await TestBucket.CreateAsync(servers, Token, versioned: true, objectLock))
        {
            name = bucket.Name;
            await bucket.PutRawAsync("key", Content, Token);
            await bucket.PutRawAsync("key", [], Token);
            await bucket.Client.DeleteObjectAsync(name, "key", Token);
            await bucket.PutRawAsync("locked", Content, Token);
            if (objectLock)
                await LockAsync(bucket);
            await bucket.Client.InitiateMultipartUploadAsync(name, "unfinished", Token);
            Assert.Equal(4, (await bucket.Client.ListVersionsAsync(name, Token)).Versions.Count);
        }

        var buckets = (await observer.Client.ListBucketsAsync(Token)).Buckets.Select(found => found.BucketName).ToList();

        Assert.Contains(observer.Name, buckets);
        Assert.DoesNotContain(name, buckets);
    }

    private static async Task LockAsync(TestBucket bucket)
    {
        await bucket.Client.PutObjectLegalHoldAsync(
            new PutObjectLegalHoldRequest
            {
                BucketName = bucket.Name,
                Key = "locked",
                LegalHold = new ObjectLockLegalHold { Status = ObjectLockLegalHoldStatus.On },
            },
            Token
        );
        await bucket.Client.PutObjectRetentionAsync(
            new PutObjectRetentionRequest
            {
                BucketName = bucket.Name,
                Key = "key",
                VersionId = (await bucket.Client.ListVersionsAsync(bucket.Name, "key", Token)).Versions[1].VersionId,
                Retention = new ObjectLockRetention
                {
                    Mode = ObjectLockRetentionMode.Governance,
                    RetainUntilDate = TimeProvider.System.GetUtcNow().AddDays(1).UtcDateTime,
                },
            },
            Token
        );
    }
}

using System.Net;
using System.Net.Sockets;
using Amazon.S3.Model;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Spool;
using Archiver.Core.Storage;
using Archiver.Core.Storage.S3;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Storage;

public sealed class S3ArchiveStoreTests(TestServers servers) : StoreContract, IAsyncLifetime
{
    private TestBucket _bucket = null!;
    private S3ArchiveStore _store = null!;

    private protected override IArchiveStore Store => _store;

    public async ValueTask InitializeAsync()
    {
        _bucket = await TestBucket.CreateAsync(servers, Token);
        _store = new S3ArchiveStore(_bucket.Settings, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        _store.Dispose();
        await _bucket.DisposeAsync();
    }

    [Fact]
    public async Task Says_that_an_object_is_gzip_and_not_that_it_should_be_unpacked()
    {
        await Store.PutIfAbsentAsync("k", TestContent.Random(10), TestContent.NewAttempt(), Token);

        var head = await _bucket.Client.GetObjectMetadataAsync(_bucket.Name, "k", Token);

        Assert.Equal("application/gzip", head.Headers.ContentType);
        Assert.True(string.IsNullOrEmpty(head.Headers.ContentEncoding));
    }

    [Fact]
    public async Task Lists_more_than_one_page()
    {
        var keys = Enumerable.Range(0, 1_005).Select(i => $"n/{i:0000}").ToArray();
        await Parallel.ForEachAsync(keys, Token, async (key, ct) => await _bucket.PutRawAsync(key, [1], ct));

        Assert.Equal(keys, (await ListAsync("n/")).Select(o => o.Key));
    }

    [Fact]
    public async Task A_probe_leaves_one_small_object_and_is_shared()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Store.RefusesOverwriteAsync("p", 1, Token)));

        Assert.All(answers, Assert.True);
        var probe = Assert.Single(await ListAsync(""));
        Assert.Equal("p/.archiver/probe-single", probe.Key);
        Assert.InRange(probe.Length, 1, 100);
        using var second = new S3ArchiveStore(_bucket.Settings, TimeProvider.System);
        Assert.True(await second.RefusesOverwriteAsync("p", 1, Token));
    }

    [Fact]
    public async Task Does_not_trust_a_multipart_condition_that_the_server_ignores()
    {
        var refuses = await Store.RefusesOverwriteAsync("p", S3ArchiveStore.SinglePutLimit + 1, Token);

        Assert.False(refuses);
        Assert.Equal("p/.archiver/probe-multipart", Assert.Single(await ListAsync("")).Key);
        Assert.Empty(await UploadsAsync());
    }

    [Fact]
    public async Task Refuses_to_overwrite_a_large_object_that_it_sees()
    {
        await _bucket.PutRawAsync("p/big", [1, 2, 3], Token);
        await Store.RefusesOverwriteAsync("p", S3ArchiveStore.SinglePutLimit + 1, Token);

        var put = await Store.PutIfAbsentAsync(
            "p/big",
            TestContent.Random((int)S3ArchiveStore.SinglePutLimit + 1),
            TestContent.NewAttempt(),
            Token
        );

        Assert.Equal(PutResult.AlreadyExists, put);
        Assert.Equal([1, 2, 3], await _bucket.GetRawAsync("p/big", Token));
        Assert.Empty(await UploadsAsync());
    }

    [Fact]
    public async Task Aborts_a_multipart_upload_whose_content_fails()
    {
        await Assert.ThrowsAsync<EndOfStreamException>(() =>
            Store.PutIfAbsentAsync("big", new ShortContent(), TestContent.NewAttempt(), Token)
        );

        Assert.Empty(await UploadsAsync());
        Assert.Empty(await ListAsync(""));
    }

    [Fact]
    public async Task Cleans_old_left_uploads_and_leaves_young_ones()
    {
        await _bucket.Client.InitiateMultipartUploadAsync(_bucket.Name, "p/left", Token);
        await _bucket.Client.InitiateMultipartUploadAsync(_bucket.Name, "p/theirs", Token);
        await _bucket.Client.InitiateMultipartUploadAsync(_bucket.Name, "other/left", Token);

        var young = await _store.AbortUploadsAsync("p/", TimeSpan.FromHours(1), IsOurs, Token);
        var old = await _store.AbortUploadsAsync("p/", TimeSpan.FromHours(-1), IsOurs, Token);

        Assert.Equal((0, 1), (young, old));
        Assert.Equal(["other/left", "p/theirs"], (await UploadsAsync()).Select(u => u.Key).Order(StringComparer.Ordinal));

        static Task<bool> IsOurs(string key, CancellationToken cancellationToken) => Task.FromResult(key != "p/theirs");
    }

    [Fact]
    public async Task A_missing_bucket_is_not_an_absent_object()
    {
        using var store = new S3ArchiveStore(_bucket.Settings with { Bucket = "no-such-bucket" }, TimeProvider.System);

        foreach (var error in await AllFailAsync(store))
        {
            Assert.Equal(StorageFailure.Permanent, error.Failure);
            Assert.Equal(
                $"The bucket 'no-such-bucket' does not exist at {At(_bucket.Settings)}; create it or correct Archiver:Storage:Bucket.",
                error.Message
            );
        }
    }

    [Fact]
    public async Task Wrong_keys_name_their_settings()
    {
        using var unknown = new S3ArchiveStore(_bucket.Settings with { AccessKey = "nobody" }, TimeProvider.System);
        using var wrong = new S3ArchiveStore(_bucket.Settings with { SecretKey = "not-the-secret" }, TimeProvider.System);

        var first = await Assert.ThrowsAsync<StorageException>(() => unknown.OpenAsync(new ObjectName("k"), Token));
        var second = await Assert.ThrowsAsync<StorageException>(() => wrong.OpenAsync(new ObjectName("k"), Token));

        const string Advice = "check Archiver:Storage:AccessKey and Archiver:Storage:SecretKey.";
        Assert.Equal($"{At(_bucket.Settings)} refused the credentials (InvalidAccessKeyId): {Advice}", first.Message);
        Assert.Equal($"{At(_bucket.Settings)} refused the credentials (SignatureDoesNotMatch): {Advice}", second.Message);
        Assert.Equal([StorageFailure.Permanent, StorageFailure.Permanent], [first.Failure, second.Failure]);
        foreach (var error in await AllFailAsync(wrong))
        {
            Assert.Equal(StorageFailure.Permanent, error.Failure);
            Assert.DoesNotContain("not-the-secret", error.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_server_that_is_down_names_the_endpoint_setting()
    {
        using var closed = new Socket(SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var endpoint = new Uri($"http://127.0.0.1:{((IPEndPoint)closed.LocalEndPoint!).Port}");
        using var store = new S3ArchiveStore(_bucket.Settings with { Endpoint = endpoint }, TimeProvider.System);

        foreach (var error in await AllFailAsync(store))
        {
            Assert.Equal(StorageFailure.Transient, error.Failure);
            Assert.Contains("Archiver:Storage:Endpoint", error.Message, StringComparison.Ordinal);
        }
    }

    private static string At(StorageSettings settings) => settings.Endpoint!.GetLeftPart(UriPartial.Authority);

    private static async Task<List<StorageException>> AllFailAsync(S3ArchiveStore store) =>
        [
            await Assert.ThrowsAsync<StorageException>(() => store.OpenAsync(new ObjectName("k"), Token)),
            await Assert.ThrowsAsync<StorageException>(() => store.OpenRangeAsync(new ObjectName("k"), 0, 0, Token)),
            await Assert.ThrowsAsync<StorageException>(() => store.HeadAsync(new ObjectName("k"), Token)),
            await Assert.ThrowsAsync<StorageException>(() => store.RefusesOverwriteAsync("p", 1, Token)),
            await Assert.ThrowsAsync<StorageException>(() => store.RefusesOverwriteAsync("p", long.MaxValue, Token)),
            await Assert.ThrowsAsync<StorageException>(() =>
                store.PutIfAbsentAsync("k", TestContent.Random(1), TestContent.NewAttempt(), Token)
            ),
            await Assert.ThrowsAsync<StorageException>(() => store.DeleteAllVersionsAsync(new ObjectName("k"), Token)),
            await Assert.ThrowsAsync<StorageException>(async () =>
                await store.ListAsync("", Token).GetAsyncEnumerator(Token).MoveNextAsync()
            ),
        ];

    private async Task<List<MultipartUpload>> UploadsAsync() =>
        (await _bucket.Client.ListMultipartUploadsAsync(_bucket.Name, Token)).MultipartUploads ?? [];

    private sealed class ShortContent : IObjectContent
    {
        public long Length => S3ArchiveStore.SinglePutLimit + 1;

        public ReadOnlyMemory<byte> Sha256 => default;

        public Stream OpenRead() => new MemoryStream(new byte[9 << 20]);
    }
}

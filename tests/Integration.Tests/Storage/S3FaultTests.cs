using System.Text;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Archiver.Core.Storage.S3;
using Archiver.Testing;
using static Archiver.Integration.Tests.Storage.FaultyGateway;

namespace Archiver.Integration.Tests.Storage;

public sealed class S3FaultTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_put_whose_answer_was_lost_is_settled_by_reading_back()
    {
        await using var bucket = await TestBucket.CreateAsync(servers, Token);
        await using var proxy = new AnswerLosingProxy(bucket.Settings.Endpoint!);
        using var store = Resilient(bucket.Settings with { Endpoint = proxy.Endpoint });
        Assert.True(await store.RefusesOverwriteAsync("p", 100, Token));
        var content = TestContent.Random(100);
        proxy.LoseAnswersToPuts(2);

        var put = await store.PutIfAbsentAsync("p/k", content, TestContent.NewAttempt(), Token);

        Assert.Equal(2, proxy.Lost);
        Assert.True(put.Stored);
        Assert.Equal(content.Bytes, await bucket.GetRawAsync("p/k", Token));
    }

    [Fact]
    public async Task A_lost_answer_does_not_hide_that_another_put_was_first()
    {
        await using var bucket = await TestBucket.CreateAsync(servers, Token);
        await using var proxy = new AnswerLosingProxy(bucket.Settings.Endpoint!);
        using var store = Resilient(bucket.Settings with { Endpoint = proxy.Endpoint });
        Assert.True(await store.RefusesOverwriteAsync("p", 100, Token));
        await bucket.PutRawAsync("p/k", [1, 2, 3], Token);
        proxy.LoseAnswersToPuts(1);

        var put = await store.PutIfAbsentAsync("p/k", TestContent.Random(100), TestContent.NewAttempt(), Token);

        Assert.Equal(1, proxy.Lost);
        Assert.False(put.Stored);
        Assert.Equal([1, 2, 3], await bucket.GetRawAsync("p/k", Token));
    }

    [Theory]
    [InlineData("501 Not Implemented", "NotImplemented")]
    [InlineData("400 Bad Request", "InvalidArgument")]
    public async Task A_server_without_conditional_puts_is_found_out(string status, string code)
    {
        await using var server = new RawHttpServer(RawHttpServer.Error(status, code));
        using var store = Direct(server);

        Assert.False(await store.RefusesOverwriteAsync("p", 1, Token));
        Assert.False(await store.RefusesOverwriteAsync("p", 1, Token));
        Assert.Contains("If-None-Match: *", Assert.Single(server.Requests), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_bare_404_is_not_an_absent_object()
    {
        await using var server = new RawHttpServer(RawHttpServer.Answer("404 Not Found", "<html>no such page</html>"));
        using var store = Direct(server);

        var open = await Assert.ThrowsAsync<StorageException>(() => store.OpenAsync(new ObjectName("k"), Token));
        var head = await Assert.ThrowsAsync<StorageException>(() => store.HeadAsync(new ObjectName("k"), Token));

        Assert.Equal([StorageFailure.Permanent, StorageFailure.Permanent], [open.Failure, head.Failure]);
    }

    [Fact]
    public async Task A_login_page_is_not_a_stored_object()
    {
        await using var server = new RawHttpServer(
            RawHttpServer.Answer("404 Not Found", ""),
            RawHttpServer.Answer("200 OK", "<html>please log in</html>")
        );
        using var store = Direct(server);

        var error = await Assert.ThrowsAsync<StorageException>(() =>
            store.PutIfAbsentAsync("k", TestContent.Random(10), TestContent.NewAttempt(), Token)
        );

        Assert.Equal(StorageFailure.Transient, error.Failure);
        Assert.Contains("something between may answer in its place", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_object_that_must_be_thawed_is_reported_as_such()
    {
        await using var server = new RawHttpServer(RawHttpServer.Error("403 Forbidden", "InvalidObjectState"));
        using var store = Direct(server);

        var error = await Assert.ThrowsAsync<StorageException>(() => store.OpenAsync(new ObjectName("k"), Token));

        Assert.Equal(StorageFailure.NeedsThawing, error.Failure);
        Assert.Contains("'k'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Goes_on_when_a_busy_server_recovers()
    {
        await using var server = new RawHttpServer(
            RawHttpServer.Error("503 Slow Down", "SlowDown"),
            RawHttpServer.Error("500 Internal Server Error", "InternalError"),
            RawHttpServer.Answer("206 Partial Content", "hello", "Content-Range: bytes 0-4/5", "ETag: \"x\"")
        );
        using var store = Resilient(Settings(server));

        var body = await TestContent.ReadAsync(await store.OpenAsync(new ObjectName("k"), Token), Token);

        Assert.Equal("hello", Encoding.UTF8.GetString(body));
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task Sends_no_expectation_and_asks_for_encryption_when_told_to()
    {
        await using var server = new RawHttpServer(
            RawHttpServer.Answer("404 Not Found", ""),
            RawHttpServer.Error("403 Forbidden", "AccessDenied")
        );
        using var store = new S3ArchiveStore(
            Settings(server) with
            {
                ServerSideEncryption = "aws:kms",
                KmsKeyId = "the-key",
            },
            TimeProvider.System
        );

        await Assert.ThrowsAsync<StorageException>(() =>
            store.PutIfAbsentAsync("k", TestContent.Random(10), TestContent.NewAttempt(), Token)
        );

        var put = server.Requests[^1];
        Assert.Contains("x-amz-server-side-encryption: aws:kms", put, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("x-amz-server-side-encryption-aws-kms-key-id: the-key", put, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Content-MD5:", put, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Expect:", put, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("aws-chunked", put, StringComparison.OrdinalIgnoreCase);
    }

    private static ResilientArchiveStore Resilient(StorageSettings settings) =>
        new(new S3ArchiveStore(settings, TimeProvider.System), new RetrySettings { Budget = TimeSpan.FromMinutes(1) }, TimeProvider.System);
}

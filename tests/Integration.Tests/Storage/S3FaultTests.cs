using System.Diagnostics;
using System.Text;
using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Archiver.Core.Storage.S3;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Storage;

public sealed class S3FaultTests(TestServers servers)
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

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

    [Fact]
    public async Task A_body_that_stops_arriving_ends_by_timeout()
    {
        await using var server = new RawHttpServer(
            ("HTTP/1.1 206 Partial Content\r\nContent-Length: 100\r\nContent-Range: bytes 0-99/100\r\nETag: \"x\"\r\n\r\nhalf", false)
        );
        using var store = Direct(server, Short);
        var clock = Stopwatch.StartNew();
        await using var body = await store.OpenAsync(new ObjectName("k"), Token);

        var error = await Assert.ThrowsAsync<StorageException>(() => TestContent.ReadAsync(body, Token));

        Assert.Equal(StorageFailure.Transient, error.Failure);
        Assert.Contains("Archiver:Storage:Timeout", error.Message, StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_caller_that_reads_without_tasks_is_not_held_for_ever_either()
    {
        await using var server = new RawHttpServer(
            ("HTTP/1.1 206 Partial Content\r\nContent-Length: 100\r\nContent-Range: bytes 0-99/100\r\nETag: \"x\"\r\n\r\nhalf", false)
        );
        using var store = Direct(server, Short);
        await using var body = await store.OpenAsync(new ObjectName("k"), Token);

        var error = Assert.Throws<StorageException>(() => body!.CopyTo(Stream.Null));

        Assert.IsType<TimeoutException>(error.InnerException);
    }

    [Fact]
    public async Task A_listing_or_an_error_that_stops_arriving_ends_by_timeout()
    {
        await using var server = new RawHttpServer(
            ("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Type: application/xml\r\n\r\n<ListBucketResult>", false),
            ("HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\nContent-Type: application/xml\r\n\r\n<Error>", false)
        );
        using var store = Direct(server, Short);

        var listing = await Assert.ThrowsAsync<StorageException>(async () =>
            await store.ListAsync("", Token).GetAsyncEnumerator(Token).MoveNextAsync()
        );
        var error = await Assert.ThrowsAsync<StorageException>(() => store.OpenAsync(new ObjectName("k"), Token));

        Assert.Equal([StorageFailure.Transient, StorageFailure.Transient], [listing.Failure, error.Failure]);
    }

    [Theory]
    [InlineData("HTTP/1.1 206 Partial Content\r\nContent-Length: 100\r\nContent-Range: bytes 0-99/100\r\nETag: \"x\"\r\n\r\nhalf")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nETag: \"x\"\r\n\r\nhalf")]
    [InlineData("HTTP/1.1 200 OK\r\nETag: \"x\"\r\n\r\nhalf")]
    public async Task A_body_that_is_cut_off_is_an_error_not_a_shorter_object(string answer)
    {
        await using var server = new RawHttpServer((answer, true));
        using var store = Direct(server);

        var error = await Assert.ThrowsAsync<StorageException>(async () =>
            await TestContent.ReadAsync(await store.OpenAsync(new ObjectName("k"), Token), Token)
        );

        Assert.Equal(StorageFailure.Transient, error.Failure);
        Assert.DoesNotContain("did not answer", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_healthy_object_with_an_unusual_ETag_is_readable()
    {
        await using var server = new RawHttpServer(
            RawHttpServer.Answer("206 Partial Content", "hello", "Content-Range: bytes 0-4/5", "ETag: \"not hex at all\""),
            RawHttpServer.Answer(
                "206 Partial Content",
                "hello",
                "Content-Range: bytes 0-4/5",
                "ETag: \"00000000000000000000000000000000\""
            ),
            RawHttpServer.Answer("200 OK", "hello")
        );
        using var store = Direct(server);

        for (var i = 0; i < 3; i++)
            Assert.Equal(
                "hello",
                Encoding.UTF8.GetString(await TestContent.ReadAsync(await store.OpenAsync(new ObjectName("k"), Token), Token))
            );
    }

    [Fact]
    public async Task A_server_that_ignores_a_range_is_refused()
    {
        await using var server = new RawHttpServer(RawHttpServer.Answer("200 OK", "the whole object", "ETag: \"x\""));
        using var store = Direct(server);

        var error = await Assert.ThrowsAsync<StorageException>(() => store.OpenRangeAsync(new ObjectName("k"), 4, 5, Token));

        Assert.Contains("ignored the range", error.Message, StringComparison.Ordinal);
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

    private static StorageSettings Settings(RawHttpServer server, TimeSpan? timeout = null) =>
        new()
        {
            Endpoint = server.Endpoint,
            Bucket = "b",
            AccessKey = "a",
            SecretKey = "s",
            PathStyle = true,
            Timeout = timeout ?? TimeSpan.FromSeconds(30),
        };

    private static S3ArchiveStore Direct(RawHttpServer server, TimeSpan? timeout = null) =>
        new(Settings(server, timeout), TimeProvider.System);

    private static ResilientArchiveStore Resilient(StorageSettings settings) =>
        new(new S3ArchiveStore(settings, TimeProvider.System), new RetrySettings { Budget = TimeSpan.FromMinutes(1) }, TimeProvider.System);
}

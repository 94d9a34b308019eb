using System.Diagnostics;
using System.Text;
using Archiver.Core.Diagnostics;
using Archiver.Core.Storage;
using static Archiver.Integration.Tests.Storage.FaultyGateway;

namespace Archiver.Integration.Tests.Storage;

public sealed class S3BodyFaultTests
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(3);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

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
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromMinutes(1));
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
}

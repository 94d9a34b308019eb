using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Archiver.Core.Tests.Storage;

/// <summary>An object's opening and its body are one operation: they have one budget.</summary>
public sealed class ResumedBodyTests
{
    private static readonly ObjectName Name = new("a/b.json.gz");

    private readonly ImpatientTime _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Goes_on_where_it_broke_off_after_a_wait()
    {
        var content = Content(100);
        var inner = new FailingStore { Body = offset => BreakingBody.Of(content, offset, piece: 30) };

        Assert.Equal(content, await ReadAsync(inner, TimeSpan.FromMinutes(10)));

        Assert.Equal(4, inner.Calls);
        Assert.True(_time.Elapsed > TimeSpan.Zero);
    }

    // A piece is worth 32 s at the slowest that a body may be.
    [Fact]
    public async Task A_long_body_that_breaks_off_often_comes_whole()
    {
        var content = Content(8 * 512 * 1024);
        var inner = new FailingStore
        {
            Body = offset => BreakingBody.Of(content, offset, piece: 512 * 1024),
            BeforeEachCall = () => _time.Pass(TimeSpan.FromSeconds(25)),
        };

        Assert.Equal(content, await ReadAsync(inner, TimeSpan.FromSeconds(30)));

        Assert.Equal(8, inner.Calls);
    }

    [Fact]
    public async Task A_body_that_always_breaks_off_has_one_budget_with_its_opening()
    {
        var content = Content(100_000);
        var inner = new FailingStore([.. Enumerable.Range(0, 6).Select(_ => new StorageException(StorageFailure.Transient, "away"))])
        {
            Body = offset => BreakingBody.Of(content, offset, piece: 1),
            BeforeEachCall = () => _time.Pass(TimeSpan.FromMinutes(1)),
        };

        var error = await Assert.ThrowsAsync<StorageException>(() => ReadAsync(inner, TimeSpan.FromMinutes(10)));

        Assert.Equal((StorageFailure.Transient, BreakingBody.Message), (error.Failure, error.Message));
        Assert.InRange(_time.Elapsed, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(13));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_object_that_goes_away_while_it_is_read_is_not_waited_for(bool replaced)
    {
        var (content, other) = (Content(100), Content(50));
        var opened = 0;
        var inner = new FailingStore
        {
            Body = offset =>
                ++opened == 1 ? BreakingBody.Of(content, offset, piece: 30)
                : replaced ? BreakingBody.Of(other, offset, piece: 30)
                : null,
        };

        var error = await Assert.ThrowsAsync<StorageException>(() => ReadAsync(inner, TimeSpan.FromMinutes(10)));

        Assert.Equal("'a/b.json.gz' went away, or another object took its place, while it was read.", error.Message);
        Assert.Equal(2, opened);
    }

    // In an outage the question whether others are given would cost a budget of its own, and each of many objects asks it.
    [Fact]
    public async Task Whether_it_is_the_store_is_asked_once()
    {
        var inner = new FailingStore([.. Enumerable.Range(0, 1000).Select(i => new StorageException(StorageFailure.Transient, $"{i}"))])
        {
            Keys = ["a/.archiver/probe"],
        };
        using var store = new ResilientArchiveStore(inner, new RetrySettings { Budget = TimeSpan.FromMinutes(10) }, _time);
        var failure = await Assert.ThrowsAsync<StorageException>(() => store.OpenAsync(Name, Token));
        var (calls, spent) = (inner.Calls, _time.Elapsed);

        Assert.Null(await ObjectFailure.DescribeAsync(store, "a", failure, Token));

        Assert.Equal((calls + 1, spent), (inner.Calls, _time.Elapsed));
    }

    private async Task<byte[]> ReadAsync(FailingStore inner, TimeSpan budget)
    {
        using var store = new ResilientArchiveStore(inner, new RetrySettings { Budget = budget }, _time, NullLogger.Instance);
        await using var body = await store.OpenAsync(Name, Token);
        using var read = new MemoryStream();
        await body!.CopyToAsync(read, Token);
        return read.ToArray();
    }

    private static byte[] Content(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        return content;
    }
}

using Archiver.Core.Storage;
using Archiver.Core.Storage.S3;

namespace Archiver.Integration.Tests.Storage;

/// <summary>What every store promises; run against each of them.</summary>
public abstract class StoreContract
{
    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected abstract IArchiveStore Store { get; }

    [Theory]
    [InlineData("chat_archives/2026/11/0193-abc.json.gz")]
    [InlineData("plain")]
    [InlineData("with space + plus & ? #/%7Ex~2.json.gz")]
    [InlineData("ключ/鍵/\U0001F600'\"<>.gz")]
    public async Task Gives_back_bytes_and_metadata_under_any_key(string key)
    {
        var content = TestContent.Random(2_048);
        var metadata = TestContent.NewAttempt();

        var put = await Store.PutIfAbsentAsync(key, content, metadata, Token);

        Assert.True(put.Stored);
        Assert.Equal(content.Bytes, await TestContent.ReadAsync(await Store.OpenAsync(new ObjectName(key), Token), Token));
        var head = await Store.HeadAsync(new ObjectName(key), Token);
        Assert.Equal(2_048, head!.Length);
        Assert.Equal(metadata.Pairs.OrderBy(p => p.Key), head.Metadata.OrderBy(p => p.Key));
        Assert.InRange(head.LastModified, DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.MaxValue);
        Assert.Equal(key, Assert.Single(await ListAsync("")).Key);
    }

    [Fact]
    public async Task Stores_an_empty_object()
    {
        await Store.PutIfAbsentAsync("empty", new TestContent([]), TestContent.NewAttempt(), Token);

        Assert.Empty(await TestContent.ReadAsync(await Store.OpenAsync(new ObjectName("empty"), Token), Token));
    }

    [Fact]
    public async Task Refuses_to_overwrite_an_object()
    {
        var first = TestContent.Random(100);
        Assert.True(await Store.RefusesOverwriteAsync("p", 100, Token));
        await Store.PutIfAbsentAsync("p/k", first, TestContent.NewAttempt(), Token);

        var second = await Store.PutIfAbsentAsync("p/k", TestContent.Random(100), TestContent.NewAttempt(), Token);

        Assert.Equal(PutResult.AlreadyExists, second);
        Assert.Equal(first.Bytes, await TestContent.ReadAsync(await Store.OpenAsync(new ObjectName("p/k"), Token), Token));
    }

    [Fact]
    public async Task One_of_many_writers_wins_and_only_its_bytes_are_there()
    {
        Assert.True(await Store.RefusesOverwriteAsync("p", 100, Token));
        var contents = Enumerable.Range(0, 12).Select(_ => TestContent.Random(100)).ToArray();

        var results = await Task.WhenAll(
            contents.Select(c => Task.Run(() => Store.PutIfAbsentAsync("p/k", c, TestContent.NewAttempt(), Token)))
        );

        var winner = Assert.Single(contents, c => results[Array.IndexOf(contents, c)].Stored);
        Assert.Equal(winner.Bytes, await TestContent.ReadAsync(await Store.OpenAsync(new ObjectName("p/k"), Token), Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Knows_its_own_put_again(bool probed)
    {
        if (probed)
            Assert.True(await Store.RefusesOverwriteAsync("p", 100, Token));
        var content = TestContent.Random(100);
        var metadata = TestContent.NewAttempt();
        await Store.PutIfAbsentAsync("p/k", content, metadata, Token);

        var again = await Store.PutIfAbsentAsync("p/k", content, metadata, Token);

        Assert.True(again.Stored);
    }

    [Fact]
    public async Task Reads_a_range_and_what_there_is_of_a_longer_one()
    {
        var content = TestContent.Random(1_000);
        await Store.PutIfAbsentAsync("k", content, TestContent.NewAttempt(), Token);

        Assert.Equal(content.Bytes[100..300], await RangeAsync(100, 200));
        Assert.Equal(content.Bytes[900..], await RangeAsync(900, 200));
        Assert.Equal(content.Bytes[..1], await RangeAsync(0, 1));
        Assert.Empty(await RangeAsync(1_000, 10));
        Assert.Empty(await RangeAsync(100, 0));
        Assert.Null(await Store.OpenRangeAsync(new ObjectName("no"), 0, 10, Token));
        Assert.Null(await Store.OpenRangeAsync(new ObjectName("no"), 5, 0, Token));

        async Task<byte[]> RangeAsync(long offset, long length) =>
            await TestContent.ReadAsync(await Store.OpenRangeAsync(new ObjectName("k"), offset, length, Token), Token);
    }

    [Fact]
    public async Task Tells_that_an_object_is_absent()
    {
        Assert.Null(await Store.OpenAsync(new ObjectName("no/such"), Token));
        Assert.Null(await Store.HeadAsync(new ObjectName("no/such"), Token));
        Assert.Empty(await ListAsync("no/"));
    }

    [Fact]
    public async Task Lists_a_prefix_in_key_order()
    {
        string[] keys = ["a.gz", "a/1", "a/10", "a/2/x", "a/2~2", "a0", "b", "\uFF5E", "\U0001F600"];
        foreach (var key in keys.Reverse())
            await Store.PutIfAbsentAsync(key, TestContent.Random(1), TestContent.NewAttempt(), Token);

        Assert.Equal(keys, (await ListAsync("")).Select(o => o.Key));
        Assert.Equal(["a/1", "a/10", "a/2/x", "a/2~2"], (await ListAsync("a/")).Select(o => o.Key));
        Assert.Equal(["a/1", "a/10"], (await ListAsync("a/1")).Select(o => o.Key));
        Assert.Empty(await ListAsync("a/2~2/"));
    }

    [Fact]
    public async Task Removes_one_object_and_no_other()
    {
        foreach (var key in (string[])["d/k", "d/k~2", "d/k/below", "d/"])
        {
            if (!key.EndsWith('/'))
                await TryPutAsync(key);
        }

        await Store.DeleteAllVersionsAsync(new ObjectName("d/k"), Token);
        await Store.DeleteAllVersionsAsync(new ObjectName("d/never-was"), Token);

        Assert.Null(await Store.HeadAsync(new ObjectName("d/k"), Token));
        Assert.Equal("d/k~2", Assert.Single(await ListAsync("d/k~")).Key);
        Assert.True((await Store.PutIfAbsentAsync("d/k", TestContent.Random(1), TestContent.NewAttempt(), Token)).Stored);

        async Task TryPutAsync(string key)
        {
            // A folder cannot hold both d/k and d/k/below; a bucket can.
            if (key != "d/k/below" || Store is S3ArchiveStore)
                await Store.PutIfAbsentAsync(key, TestContent.Random(1), TestContent.NewAttempt(), Token);
        }
    }

    [Fact]
    public async Task Cancellation_is_not_a_failure_of_the_store()
    {
        using var source = new CancellationTokenSource();
        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.OpenAsync(new ObjectName("k"), source.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            Store.PutIfAbsentAsync("k", TestContent.Random(1), TestContent.NewAttempt(), source.Token)
        );
        Assert.Empty(await ListAsync(""));
    }

    private protected async Task<List<ListedObject>> ListAsync(string prefix)
    {
        var found = new List<ListedObject>();
        await foreach (var item in Store.ListAsync(prefix, Token))
            found.Add(item);
        return found;
    }
}

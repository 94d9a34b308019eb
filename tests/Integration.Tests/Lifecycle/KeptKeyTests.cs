using Archiver.Core.Erasure;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>A key stays whole, and the erasure is not complete, while a version of it may be somebody else's or an only copy.</summary>
public sealed class KeptKeyTests(TestServers servers) : ErasureScenario(servers)
{
    // Neither the version that the ledger names nor the one that is there now.
    [Fact]
    public async Task A_key_stays_of_which_an_older_version_is_somebody_elses()
    {
        await using var archiver = await ArchivedAsync("session", null, versioned: true);
        var key = await KeyOfUserAsync(archiver);
        await archiver.Bucket.PutForeignOverAsync(archiver.Store, key, Token);

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((null, 1, false, 1L), (receipt.Error, receipt.ExitCode, receipt.Complete, receipt.Objects));
        var left = Assert.Single(receipt.Sessions, s => s.State == ErasedSession.Remaining);
        Assert.Equal("its object is not this database's: it is of another ledger", Assert.Single(left.Reasons));
        Assert.Equal(3, (await archiver.Bucket.Client.ListVersionsAsync(archiver.Bucket.Name, key, Token)).Versions.Count);
    }

    [Fact]
    public async Task What_is_of_another_length_than_the_ledger_recorded_stays_and_the_erasure_is_not_complete()
    {
        await using var archiver = await ArchivedAsync("session", null);
        var key = await KeyOfUserAsync(archiver);
        var other = (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).First(k => k != key);
        var moved = await archiver.Bucket.PutLongerOverAsync(archiver.Store, key, other, Token);

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((null, 1, false, 1L), (receipt.Error, receipt.ExitCode, receipt.Complete, receipt.Objects));
        var left = Assert.Single(receipt.Sessions, s => s.State == ErasedSession.Remaining);
        Assert.StartsWith("its object is not what the ledger recorded: ", Assert.Single(left.Reasons), StringComparison.Ordinal);
        Assert.Equal(moved, await archiver.Bucket.GetRawAsync(key, Token));
        await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, key, Token);
        Assert.True((await archiver.EraseAsync(new() { User = User }, Token)).Complete);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_key_that_no_ledger_knows_stays_of_which_a_version_is_foreign_or_cannot_be_read(bool foreign)
    {
        await using var archiver = await ArchivedAsync("session", null, versioned: true);
        const string copy = "chat_archives/2020/01/copy.json.gz";
        var key = await KeyOfUserAsync(archiver);
        await CopyAsync(archiver, key, copy);
        if (foreign)
            await archiver.Bucket.PutForeignOverAsync(archiver.Store, copy, Token);
        else
            await PutAsync(archiver, copy, [1, 2, 3], (await archiver.Store.HeadAsync(new(key), Token))!.Metadata);
        var versions = (await archiver.Bucket.Client.ListVersionsAsync(archiver.Bucket.Name, copy, Token)).Versions.Count;

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((null, 1, false, 2L), (receipt.Error, receipt.ExitCode, receipt.Complete, receipt.Objects));
        var left = Assert.Single(receipt.Sessions, s => s.State == ErasedSession.Remaining);
        Assert.Contains("a removal takes every version", Assert.Single(left.Reasons), StringComparison.Ordinal);
        Assert.Equal(versions, (await archiver.Bucket.Client.ListVersionsAsync(archiver.Bucket.Name, copy, Token)).Versions.Count);
    }
}

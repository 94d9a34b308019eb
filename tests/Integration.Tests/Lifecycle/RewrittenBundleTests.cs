using System.IO.Compression;
using System.Text;
using Archiver.Core.Diagnostics;
using Archiver.Integration.Tests.Restore;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>The bundle that an erasure writes again without somebody is read back before it stands for the others.</summary>
public sealed class RewrittenBundleTests(TestServers servers) : ErasureScenario(servers)
{
    private const string Places = "SELECT session_id, object_id, byte_offset, byte_length FROM archiver.archives ORDER BY id";

    // It is a bundle of the very sessions, and a row of one of them is another.
    [Fact]
    public async Task A_bundle_that_reads_back_differently_takes_nobodys_place()
    {
        await using var archiver = await ArchivedAsync("bundle", null);
        var store = archiver.Store;
        var old = Assert.Single(await archiver.Bucket.ListKeysAsync("chat_archives/bundles/", Token));
        var places = await archiver.Database.CopyOutAsync(Places);
        archiver.Store = new HookedStore(store)
        {
            AfterPut = key => key.Contains("/bundles/", StringComparison.Ordinal) ? ChangeRowAsync(archiver, key) : Task.CompletedTask,
        };

        var receipt = await archiver.EraseAsync(new() { User = User }, Token);

        Assert.Equal((RunOutcome.Failed, 1, false, 0L), (receipt.Outcome, receipt.ExitCode, receipt.Complete, receipt.Objects));
        Assert.Contains("reads back differently", receipt.Error, StringComparison.Ordinal);
        Assert.Contains(old, await archiver.Bucket.ListKeysAsync("chat_archives/bundles/", Token));
        Assert.Equal(places, await archiver.Database.CopyOutAsync(Places));
        archiver.Store = store;
        Assert.True((await archiver.EraseAsync(new() { User = User }, Token)).Complete);
        Assert.Equal(4, (await archiver.RestoreAsync(RestoreFixture.Everything, Token)).Restored);
    }

    private static async Task ChangeRowAsync(ArchiverFixture archiver, string key)
    {
        var metadata = (await archiver.Store.HeadAsync(new(key), Token))!.Metadata;
        using var stored = new MemoryStream(await archiver.Bucket.GetRawAsync(key, Token));
        await using var gzip = new GZipStream(stored, CompressionMode.Decompress);
        using var reader = new StreamReader(gzip, Encoding.UTF8);
        var documents = (await reader.ReadToEndAsync(Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, documents.Length);
        Assert.Contains("\"content\":\"", documents[0], StringComparison.Ordinal);
        documents[0] = documents[0].Replace("\"content\":\"", "\"content\":\"not ", StringComparison.Ordinal);
        using var bundle = new MemoryStream();
        foreach (var document in documents)
        {
            await using var member = new GZipStream(bundle, CompressionLevel.Optimal, leaveOpen: true);
            await member.WriteAsync(Encoding.UTF8.GetBytes($"{document}\n"), Token);
        }
        await PutAsync(archiver, key, bundle.ToArray(), metadata);
    }
}

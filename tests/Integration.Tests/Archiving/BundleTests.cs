using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

public sealed class BundleTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Writes_gzipped_json_lines_from_which_one_range_fetches_one_session()
    {
        await using var archiver = await BundlesAsync(idle: 30, bundleBytes: 8_000);

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Done, 30L), (summary.Outcome, summary.Sessions));
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/bundles/");
        Assert.InRange(keys.Count, 2, 29);
        List<string> lines = [];
        foreach (var key in keys)
            lines.AddRange(Unzip(await archiver.Bucket.GetRawAsync(key)).TrimEnd('\n').Split('\n'));
        Assert.Equal(
            30,
            lines
                .Select(l => JsonDocument.Parse(l).RootElement.GetProperty("session").GetProperty("session_id").GetString())
                .Distinct()
                .Count()
        );

        var listed = await new ArchiveList(archiver.Catalog).ReadAsync(new("main", null, null, null, null, 100, null), Token);
        var locator = new ArchiveLocator(archiver.Catalog);
        var downloader = new ArchiveDownloader(archiver.Store, archiver.Catalog, archiver.Settings);
        foreach (var archive in listed)
        {
            using var json = new MemoryStream();
            await downloader.CopyJsonAsync((await locator.FindAsync("main", archive.SessionId, null, Token))!, json, Token);
            Assert.Contains($"\"session_id\":\"{archive.SessionId}\"", Encoding.UTF8.GetString(json.ToArray()), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Records_the_members_of_a_bundle_that_were_not_archived()
    {
        await using var archiver = await BundlesAsync(idle: 6, bundleBytes: 1 << 20);
        var session = await archiver.AnyIdleAsync(Token);
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeFirstPut = () =>
                archiver.ExecuteAsync("INSERT INTO chat_messages (session_id, role, content) VALUES ($1, 'user', 'one more')", session),
        };

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((5L, 1L), (summary.Sessions, summary.Skipped));
        Assert.Equal("stored", await archiver.Database.ScalarAsync<string>("SELECT state FROM archiver.objects"));
        Assert.Equal(
            $"{session} {DropReason.Changed}",
            await archiver.Database.ScalarAsync<string>(
                "SELECT session_id || ' ' || reason FROM archiver.archives WHERE state = 'abandoned'"
            )
        );
    }

    [Fact]
    public async Task Deletes_nothing_of_a_bundle_with_one_flipped_byte()
    {
        await using var archiver = await BundlesAsync(idle: 6, bundleBytes: 1 << 20);
        archiver.Store = new HookedStore(archiver.Store)
        {
            AfterPut = async key =>
            {
                var bytes = await archiver.Bucket.GetRawAsync(key);
                bytes[^20] ^= 1;
                await archiver.Bucket.PutRawAsync(key, bytes);
            },
        };

        var summary = await archiver.RunAsync(Token);

        Assert.Equal((RunOutcome.Partial, 0L, 6L), (summary.Outcome, summary.Sessions, summary.Failed));
        Assert.Equal(7, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM chat_sessions"));
    }

    private Task<ArchiverFixture> BundlesAsync(int idle, long bundleBytes) =>
        ArchiverFixture.CreateAsync(servers, Token, idle, young: 1, configure: s =>
            s with
            {
                Storage = s.Storage with { Layout = StorageLayout.Bundle, BundleBytes = bundleBytes },
            }
        );

    private static string Unzip(byte[] bytes)
    {
        using var gzip = new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress);
        using var reader = new StreamReader(gzip, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}

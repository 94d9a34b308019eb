using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Worker.Tests;

/// <summary>
/// Something between the archiver and its bucket answers listings in the bucket's place, with status 200 and nothing in it; or the disk of
/// the folder is not mounted. No command takes that for an empty store.
/// </summary>
public sealed class EmptyAnswerTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<StoreFault> Faults =>
        [StoreFault.HtmlPage, StoreFault.NoBody, StoreFault.OtherBucket, StoreFault.EmptyListing];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Erase_does_not_say_complete(StoreFault fault)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.RunAsync("archive");
        var session = await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives");

        await using (Listings(archiver, fault))
        {
            var result = await archiver.RunAsync("erase", session!, "--yes");
            Assert.Equal(1, result.ExitCode);
            Assert.DoesNotContain("complete: nothing", result.Output, StringComparison.Ordinal);
        }
        Assert.Equal(3, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);

        archiver.With("Storage:Endpoint", archiver.Bucket.Settings.Endpoint!.ToString());
        Assert.Contains(
            "complete: nothing of it is left",
            (await archiver.RunAsync("erase", session!, "--yes")).Output,
            StringComparison.Ordinal
        );
        Assert.Equal(2, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Discard_does_not_say_destroyed(StoreFault fault)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync(
            """
            UPDATE archiver.archives SET stored_at = now() - interval '400 days';
            UPDATE archiver.objects
              SET created_at = now() - interval '400 days', stored_at = now() - interval '400 days',
                discard_announced_at = now() - interval '31 days';
            """
        );
        archiver.With("Discard:After", "365d");

        await using (Listings(archiver, fault))
            Assert.Equal(1, (await archiver.RunAsync("discard", "--yes")).ExitCode);

        Assert.Equal(2, (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Count);
        Assert.Equal("archived\t2\n", await archiver.Database.CopyOutAsync("SELECT state, count(*) FROM archiver.archives GROUP BY state"));
    }

    // With its ledger, which has seen the erasure; and in a database that never had one, where the key of the tombstones tells.
    [Theory]
    [InlineData(StoreFault.HtmlPage, true)]
    [InlineData(StoreFault.NoBody, true)]
    [InlineData(StoreFault.OtherBucket, true)]
    [InlineData(StoreFault.EmptyListing, true)]
    [InlineData(StoreFault.EmptyListing, false)]
    public async Task Restore_brings_nothing_back_that_was_erased(StoreFault fault, bool hasLedger)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("archive");
        var session = await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives");
        var key = (await archiver.Bucket.ListKeysAsync("chat_archives/2")).Single(k => k.Contains(session!, StringComparison.Ordinal));
        var backup = await archiver.Bucket.GetRawAsync(key, Token);
        Assert.Equal(0, (await archiver.RunAsync("erase", session!, "--yes")).ExitCode);
        await archiver.Bucket.PutRawAsync(key, backup, Token);
        if (!hasLedger)
            await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");

        await using (Listings(archiver, fault))
            Assert.Equal(1, (await archiver.RunAsync("restore", "--object", key)).ExitCode);

        Assert.Equal(0, await archiver.LiveSessionsAsync());
    }

    // The rows are live and the same, so only the manifest says that the object is the archive of another copy of this database.
    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Reconcile_removes_nothing_and_calls_nothing_missing(StoreFault fault)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 0);
        archiver.With("Safety:ReconcileAge", "1ms");
        await archiver.RunAsync("archive");
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        Assert.Equal(0, (await archiver.RunAsync("restore", "--from", "2000-01-01")).ExitCode);
        // One stays recorded as it was; the others are what an earlier ledger calls abandoned.
        await archiver.Database.ExecuteAsync(
            """
            DELETE FROM archiver.archives WHERE session_id <> (SELECT min(session_id) FROM archiver.archives);
            UPDATE archiver.objects o SET state = 'abandoned', reason = 'run ended'
              WHERE NOT EXISTS (SELECT FROM archiver.archives a WHERE a.object_id = o.id);
            """
        );

        await using (Listings(archiver, fault))
        {
            var result = await archiver.RunAsync("reconcile", "--fix", "--yes");
            Assert.Equal(1, result.ExitCode);
            Assert.DoesNotContain("brings them back", result.Output, StringComparison.Ordinal);
        }
        await using (Listings(archiver, fault, "manifests"))
            await archiver.RunAsync("reconcile", "--fix", "--yes");

        Assert.Equal(keys, await archiver.Bucket.ListKeysAsync("chat_archives/2"));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Rebuild_does_not_say_that_there_is_nothing(StoreFault fault)
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 2, young: 0);
        await archiver.RunAsync("archive");
        await archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");

        await using (Listings(archiver, fault))
            Assert.Equal(1, (await archiver.RunAsync("ledger", "rebuild")).ExitCode);

        archiver.With("Storage:Endpoint", archiver.Bucket.Settings.Endpoint!.ToString());
        Assert.Contains("2 archives added", (await archiver.RunAsync("ledger", "rebuild")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_whose_disk_is_not_mounted_is_not_an_empty_store()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 3, young: 2);
        var folder = Directory.CreateTempSubdirectory("archiver-mount-");
        var (mounted, away) = (Path.Combine(folder.FullName, "mounted"), Path.Combine(folder.FullName, "away"));
        Directory.CreateDirectory(mounted);
        archiver.With("Storage:Provider", "File").With("Storage:Path", mounted).With("Discard:After", "365d");
        foreach (var key in (string[])["Endpoint", "Bucket", "AccessKey", "SecretKey", "PathStyle"])
            archiver.With($"Storage:{key}", null);
        Assert.Equal(0, (await archiver.RunAsync("archive")).ExitCode);
        await archiver.Database.ExecuteAsync(
            """
            UPDATE archiver.archives SET stored_at = now() - interval '400 days';
            UPDATE archiver.objects
              SET created_at = now() - interval '400 days', stored_at = now() - interval '400 days',
                discard_announced_at = now() - interval '31 days';
            UPDATE chat_sessions SET last_activity = last_activity - interval '1 year'; UPDATE chat_messages
              SET timestamp = timestamp - interval '1 year';
            """
        );
        var session = await archiver.Database.ScalarAsync<string>("SELECT min(session_id) FROM archiver.archives");

        Directory.Move(mounted, away);
        Directory.CreateDirectory(mounted);
        foreach (
            var verb in (string[][])
                [
                    ["archive"],
                    ["reconcile", "--fix", "--yes"],
                    ["discard", "--yes"],
                    ["erase", session!, "--yes"],
                ]
        )
        {
            var result = await archiver.RunAsync(verb);
            Assert.True(result.ExitCode == 3, $"{string.Join(' ', verb)}: {result.ExitCode} {result.Output}{result.Error}");
            Assert.Contains("Is the disk mounted", result.Output + result.Error, StringComparison.Ordinal);
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(mounted));
        Directory.Delete(mounted);
        Directory.Move(away, mounted);

        Assert.Equal(0, (await archiver.RunAsync("verify", "--all")).ExitCode);
        Assert.Equal("archived\t3\n", await archiver.Database.CopyOutAsync("SELECT state, count(*) FROM archiver.archives GROUP BY state"));
        folder.Delete(recursive: true);
    }

    /// <summary>Puts a proxy before the bucket that answers listings, of a folder or of all.</summary>
    private static FaultProxy Listings(Installation archiver, StoreFault fault, string folder = "")
    {
        var proxy = new FaultProxy(archiver.Bucket.Settings.Endpoint!, (method, path) =>
            method == "GET"
            && (path.Contains("list-type", StringComparison.Ordinal) || path.Contains("?versions", StringComparison.Ordinal))
            && path.Contains(folder, StringComparison.Ordinal)
                ? fault
                : StoreFault.None
        );
        archiver.With("Storage:Endpoint", proxy.Endpoint.ToString());
        return proxy;
    }
}

using Archiver.Integration.Tests.Lifecycle;
using Archiver.Testing;
using static Archiver.Integration.Tests.Restore.ForgottenArchives;

namespace Archiver.Integration.Tests.Restore;

/// <summary>Whoever reads objects that the ledger does not know leaves alone what the store can never give, and does the rest.</summary>
public sealed class FailingReconcileTests(TestServers servers) : FailingObjectScenario(servers)
{
    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    public async Task Reconcile_adopts_the_others_and_calls_it_unreadable(string method)
    {
        var failing = await FirstKeyAsync();
        await Archiver.Database.ExecuteAsync("DELETE FROM archiver.archives; DELETE FROM archiver.objects");
        (Method, Failing) = (method, failing);

        var report = await ReconcileAsync(Archiver, fix: true);

        var unreadable = Assert.Single(report.Unreadable);
        Assert.Equal((failing, 2), (unreadable.Key, report.Unrecorded.Count));
        Assert.StartsWith(Fails, unreadable.Reason, StringComparison.Ordinal);
        Assert.Equal(2, await Archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives"));
        Failing = "";
        Assert.Equal([failing], (await ReconcileAsync(Archiver, fix: true)).Unrecorded);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    public async Task Reconcile_removes_the_other_superfluous_objects_and_keeps_it(string method)
    {
        await AbandonLiveAsync(Archiver);
        await RemoveManifestsAsync(Archiver);
        var failing = await FirstKeyAsync();
        (Method, Failing) = (method, failing);

        var report = await ReconcileAsync(Archiver, fix: true);

        Assert.Equal((failing, 2), (Assert.Single(report.Kept).Key, report.Removable.Count));
        Assert.Equal([failing], await Archiver.Bucket.ListKeysAsync("chat_archives/2"));
        Failing = "";
        Assert.Equal([failing], (await ReconcileAsync(Archiver, fix: true)).Removable);
    }

    // Its twin is the only other object that holds what it holds.
    [Fact]
    public async Task What_only_a_failing_object_holds_besides_is_kept()
    {
        var key = await FirstKeyAsync();
        var twin = key.Replace(".json.gz", "~2.json.gz", StringComparison.Ordinal);
        await Archiver.Bucket.Client.CopyObjectAsync(Archiver.Bucket.Name, key, Archiver.Bucket.Name, twin, Token);
        await Archiver.Database.ExecuteAsync(
            $"""
            INSERT INTO archiver.objects (key, location, source, run_id, attempt, layout, state, members, length, sha256)
            SELECT '{twin}', o.location, o.source, o.run_id, o.attempt, o.layout, 'abandoned', o.members, o.length, o.sha256
            FROM archiver.objects AS o WHERE o.key = '{key}'
            """
        );
        Failing = key;

        var kept = Assert.Single((await ReconcileAsync(Archiver, fix: true)).Kept);

        Assert.Equal(twin, kept.Key);
        Assert.EndsWith("and no other object holds the same", kept.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_older_version_is_not_adopted_in_its_place()
    {
        var key = await ForgottenAsync();
        var (client, bucket) = (Archiver.Bucket.Client, Archiver.Bucket.Name);
        await client.PutBucketVersioningAsync(
            new()
            {
                BucketName = bucket,
                VersioningConfig = new() { Status = Amazon.S3.VersionStatus.Enabled },
            },
            Token
        );
        await Archiver.Bucket.PutRawAsync(key, await Archiver.Bucket.GetRawAsync(key), Token);
        Failing = (await client.GetObjectMetadataAsync(bucket, key, Token)).VersionId;

        var report = await ReconcileAsync(Archiver, fix: true);

        Assert.Equal((key, 0), (Assert.Single(report.Unreadable).Key, report.Unrecorded.Count));
    }

    [Fact]
    public async Task A_rebuild_names_it_and_finds_the_others()
    {
        Failing = await FirstKeyAsync();
        await Archiver.Database.ExecuteAsync("DROP SCHEMA archiver CASCADE");

        var rebuilt = await RebuildAsync(Archiver);

        Assert.Equal((2L, Failing), (rebuilt.Archives, Assert.Single(rebuilt.Unreadable).Key));
    }

    [Fact]
    public async Task An_erasure_takes_the_rest_and_is_not_complete()
    {
        var session = await Archiver.Database.ScalarAsync<string>(
            "SELECT a.session_id FROM archiver.archives AS a ORDER BY a.object_id DESC LIMIT 1"
        );
        Failing = await ForgottenAsync();

        var receipt = await Archiver.EraseAsync(new() { Ids = [session!] }, Token);

        Assert.Equal((1L, false), (receipt.Archives, receipt.Complete));
        Assert.Contains(Failing, Assert.Single(receipt.Unresolved), StringComparison.Ordinal);
    }
}

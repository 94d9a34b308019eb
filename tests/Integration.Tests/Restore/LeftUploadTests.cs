using Archiver.Core.Reconciliation;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Restore;

/// <summary>A worker that dies in an upload in parts leaves parts that are paid for and seen nowhere.</summary>
public sealed class LeftUploadTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reconcile_ends_what_a_dead_run_left_under_its_prefix_when_it_is_old_enough()
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 1);
        await archiver.RunAsync(Token);
        var recorded = await archiver.Database.ScalarAsync<string>("SELECT min(key) FROM archiver.objects");
        await archiver.Bucket.Client.InitiateMultipartUploadAsync(archiver.Bucket.Name, recorded, Token);
        await archiver.Bucket.Client.InitiateMultipartUploadAsync(
            archiver.Bucket.Name,
            "chat_archives/bundles/2026/01/dead-000001.jsonl.gz",
            Token
        );
        await archiver.Bucket.Client.InitiateMultipartUploadAsync(archiver.Bucket.Name, "chat_archives_of_others/left", Token);

        var looked = await ReconcileAsync(archiver, fix: false, TimeSpan.FromHours(-1));
        var young = await ReconcileAsync(archiver, fix: true, TimeSpan.FromHours(24));
        var old = await ReconcileAsync(archiver, fix: true, TimeSpan.FromHours(-1));

        Assert.Equal((0, 0, 1), (looked.AbortedUploads, young.AbortedUploads, old.AbortedUploads));
        var left = await archiver.Bucket.Client.ListMultipartUploadsAsync(archiver.Bucket.Name, Token);
        // Under the same prefix and in no row: another installation's, whose worker may live.
        Assert.Equal(
            ["chat_archives/bundles/2026/01/dead-000001.jsonl.gz", "chat_archives_of_others/left"],
            left.MultipartUploads.Select(u => u.Key).Order(StringComparer.Ordinal)
        );
        Assert.Equal(3, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.archives WHERE state = 'archived'"));
    }

    private static Task<ReconcileReport> ReconcileAsync(ArchiverFixture archiver, bool fix, TimeSpan age)
    {
        var settings = archiver.Settings with { Safety = archiver.Settings.Safety with { ReconcileAge = age } };
        return new Reconciler(settings, archiver.Catalog, archiver.Store, TimeProvider.System).RunAsync("main", fix, "test", Token);
    }
}

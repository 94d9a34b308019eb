using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Testing;
using Archiver.Testing.Proof;
using static Archiver.Integration.Tests.Restore.ForgottenArchives;

namespace Archiver.Integration.Tests.Restore;

/// <summary>What the store refuses to remove stays with its reason, and what was removed is accounted for.</summary>
public sealed class RefusedRemovalTests(TestServers servers)
{
    private const string AuditedRemovals =
        "SELECT coalesce(sum((counts ->> 'removed')::bigint), 0)::bigint FROM archiver.audit WHERE action = 'reconcile' AND who = 'test'";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_locked_object_stays_with_its_reason_and_the_others_go()
    {
        await using var archiver = await SuperfluousAsync();
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeDelete = key =>
                key == keys[0] ? throw new StorageException(StorageFailure.Permanent, "it is under object lock") : Task.CompletedTask,
        };

        var report = await ReconcileAsync(archiver, fix: true);

        Assert.Equal((keys[0], "it is under object lock"), (Assert.Single(report.Kept).Key, report.Kept[0].Reason));
        Assert.Equal(keys.Skip(1).Order(StringComparer.Ordinal), report.Removable.Order(StringComparer.Ordinal));
        Assert.Equal([keys[0]], await archiver.Bucket.ListKeysAsync("chat_archives/2"));
        Assert.Equal(2, await archiver.Database.ScalarAsync<long>(AuditedRemovals));
    }

    [Fact]
    public async Task What_was_removed_is_in_the_audit_whatever_fails_after_it()
    {
        await using var archiver = await SuperfluousAsync();
        var removed = 0;
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeDelete = _ =>
                ++removed > 2 ? throw new StorageException(StorageFailure.Transient, "The store is away.") : Task.CompletedTask,
        };

        await Assert.ThrowsAsync<StorageException>(() => ReconcileAsync(archiver, fix: true));

        Assert.Equal(2, await archiver.Database.ScalarAsync<long>(AuditedRemovals));
        Assert.Single(await archiver.Bucket.ListKeysAsync("chat_archives/2"));
    }

    [Fact]
    public async Task An_object_that_the_store_does_not_give_stays_and_the_others_go()
    {
        await using var archiver = await SuperfluousAsync();
        var keys = await archiver.Bucket.ListKeysAsync("chat_archives/2");
        archiver.Store = new HookedStore(archiver.Store)
        {
            BeforeOpen = key => key == keys[0] ? throw new StorageException(StorageFailure.NeedsThawing, "frozen") : Task.CompletedTask,
        };

        var report = await ReconcileAsync(archiver, fix: true);

        Assert.Equal((keys[0], 2), (Assert.Single(report.Kept).Key, report.Removable.Count));
        Assert.Equal([keys[0]], await archiver.Bucket.ListKeysAsync("chat_archives/2"));
    }

    [Fact]
    public async Task A_listing_of_uploads_that_is_refused_is_said_and_ends_nothing()
    {
        await using var proxy = new FaultProxy(servers.S3.Endpoint, (method, path) =>
            method == "GET" && path.Contains("?uploads", StringComparison.Ordinal) ? StoreFault.AccessDenied : StoreFault.None
        );
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 2, young: 0, configure: s =>
            s with
            {
                Storage = s.Storage with { Endpoint = proxy.Endpoint },
            }
        );
        await archiver.RunAsync(Token);

        var report = await ReconcileAsync(archiver, fix: true);

        Assert.Equal((true, 0), (report.Fixed, report.AbortedUploads));
        Assert.Contains("s3:ListBucketMultipartUploads", report.Limitation, StringComparison.Ordinal);
        Assert.Equal(1, await archiver.Database.ScalarAsync<long>("SELECT count(*) FROM archiver.audit WHERE action = 'reconcile'"));
    }

    /// <summary>Three sessions that are live with the very same rows as three abandoned objects.</summary>
    private async Task<ArchiverFixture> SuperfluousAsync()
    {
        var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0, configure: s =>
            s with
            {
                Safety = s.Safety with { ReconcileAge = TimeSpan.Zero },
            }
        );
        await archiver.RunAsync(Token);
        await AbandonLiveAsync(archiver);
        await RemoveManifestsAsync(archiver);
        return archiver;
    }
}

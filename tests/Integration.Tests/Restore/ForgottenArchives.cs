using Archiver.Core.Reconciliation;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Restore;

/// <summary>Ledgers that forget what the bucket has, and how they learn of it again.</summary>
internal static class ForgottenArchives
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>As if the crash had come before the commit.</summary>
    internal static async Task RemoveManifestsAsync(ArchiverFixture archiver)
    {
        foreach (var key in await archiver.Bucket.ListKeysAsync("chat_archives/.archiver/manifests/"))
            await archiver.Bucket.Client.DeleteObjectAsync(archiver.Bucket.Name, key, Token);
    }

    /// <summary>What a crash before the commit would have left: objects that no archive names.</summary>
    internal static Task<int> AbandonAsync(ArchiverFixture archiver) =>
        archiver.Database.ExecuteAsync(
            "DELETE FROM archiver.archives; UPDATE archiver.objects SET state = 'abandoned', reason = 'run ended'"
        );

    /// <summary>The same of objects whose sessions are live with the very rows that are in them; returns how many.</summary>
    internal static async Task<long> AbandonLiveAsync(ArchiverFixture archiver)
    {
        var restored = (await archiver.RestoreAsync(RestoreFixture.Everything, Token)).Restored;
        await AbandonAsync(archiver);
        return restored;
    }

    internal static Task<RebuildReport> RebuildAsync(ArchiverFixture archiver) =>
        new LedgerRebuilder(archiver.Settings, archiver.Catalog, archiver.Store, TimeProvider.System).RebuildAsync(
            "main",
            otherSystems: false,
            "test",
            null,
            Token
        );

    internal static Task<ReconcileReport> ReconcileAsync(ArchiverFixture archiver, bool fix) =>
        new Reconciler(archiver.Settings, archiver.Catalog, archiver.Store, TimeProvider.System).RunAsync("main", fix, "test", Token);
}

using Archiver.Core.Diagnostics;
using Archiver.Integration.Tests.Lifecycle;
using Archiver.Testing;
using static Archiver.Integration.Tests.Restore.ForgottenArchives;

namespace Archiver.Integration.Tests.Restore;

/// <summary>
/// Reconcile removes what nobody needs a day after it was given up, and only what is free, under the source's lock, at that very moment.
/// </summary>
public sealed class SuperfluousRemovalTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_comes_under_a_hold_while_reconcile_waits_for_that_hold_stays()
    {
        await using var archiver = await SuperfluousAsync();
        await GivenUpAsync(archiver, hours: 25);
        var keys = await KeysAsync(archiver);

        var report = await LateHold.AddDuringAsync(archiver, () => ReconcileAsync(archiver, fix: true));

        Assert.Empty(report.Removable);
        Assert.Equal(keys, report.Kept.Select(k => k.Key).Order(StringComparer.Ordinal));
        Assert.All(report.Kept, k => Assert.Equal("a hold covers it, or may", k.Reason));
        Assert.Equal(keys, await KeysAsync(archiver));
    }

    [Fact]
    public async Task Removes_nothing_when_its_lock_is_lost_while_it_reads_what_is_superfluous()
    {
        await using var archiver = await SuperfluousAsync();
        await GivenUpAsync(archiver, hours: 25);
        var (store, keys) = (archiver.Store, await KeysAsync(archiver));
        var lost = new Lazy<Task>(() => archiver.EndProcessesAsync(EndedProcesses.OfLocks));
        archiver.Store = new HookedStore(store) { BeforeHead = _ => lost.Value };

        var exception = await Assert.ThrowsAsync<ArchiverException>(() => ReconcileAsync(archiver, fix: true));

        Assert.True(lost.IsValueCreated);
        Assert.Contains("The lock on source 'main' was lost", exception.Message, StringComparison.Ordinal);
        Assert.Equal(keys, await KeysAsync(archiver));
        archiver.Store = store;
        Assert.Equal(keys, (await ReconcileAsync(archiver, fix: true)).Removable.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_object_goes_a_day_after_it_was_given_up_and_not_before()
    {
        await using var archiver = await SuperfluousAsync();
        var keys = await KeysAsync(archiver);

        var just = await ReconcileAsync(archiver, fix: true);
        await GivenUpAsync(archiver, hours: 23);
        var young = await ReconcileAsync(archiver, fix: true);

        Assert.Empty(just.Removable.Concat(young.Removable));
        Assert.Equal(keys, await KeysAsync(archiver));
        await GivenUpAsync(archiver, hours: 25);
        Assert.Equal(keys, (await ReconcileAsync(archiver, fix: true)).Removable.Order(StringComparer.Ordinal));
        Assert.Empty(await KeysAsync(archiver));
    }

    /// <summary>Three abandoned objects whose sessions are live with the very rows that are in them.</summary>
    private async Task<ArchiverFixture> SuperfluousAsync()
    {
        var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 3, young: 0);
        await archiver.RunAsync(Token);
        Assert.Equal(3, await AbandonLiveAsync(archiver));
        await RemoveManifestsAsync(archiver);
        return archiver;
    }

    private static Task<int> GivenUpAsync(ArchiverFixture archiver, int hours) =>
        archiver.Database.ExecuteAsync($"UPDATE archiver.objects SET ended_at = now() - interval '{hours} hours'");

    private static Task<IReadOnlyList<string>> KeysAsync(ArchiverFixture archiver) =>
        archiver.Bucket.ListKeysAsync("chat_archives/2", Token);
}

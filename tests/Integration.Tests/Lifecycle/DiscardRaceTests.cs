using Archiver.Core.Diagnostics;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>What a discard found due is asked for again, under the hold lock and the source's lock, before it goes.</summary>
public sealed class DiscardRaceTests(TestServers servers) : DiscardScenario(servers)
{
    private const string Begun = "removal_began_at IS NOT NULL OR state <> 'stored'";

    [Fact]
    public async Task What_comes_under_a_hold_while_the_discard_waits_for_that_hold_stays()
    {
        await using var archiver = await DueAsync();

        var report = await LateHold.AddDuringAsync(archiver, () => archiver.DiscardAsync(Token));

        Assert.Equal((null, RunOutcome.Done, 0L, 4L), (report.Error, report.Outcome, report.Discarded.Objects, report.Held.Archives));
        Assert.Equal(4, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
        Assert.Equal(0, await CountAsync(archiver, "objects", Begun));
    }

    [Fact]
    public async Task Destroys_nothing_when_its_lock_is_lost_while_it_asks_whose_the_objects_are()
    {
        await using var archiver = await DueAsync();
        var lost = new Lazy<Task>(() => archiver.EndProcessesAsync(EndedProcesses.OfLocks));
        archiver.Store = new HookedStore(archiver.Store) { BeforeHead = _ => lost.Value };

        var report = await archiver.DiscardAsync(Token);

        Assert.True(lost.IsValueCreated);
        Assert.Equal((RunOutcome.Failed, 1, 0L), (report.Outcome, report.ExitCode, report.Discarded.Objects));
        Assert.Contains("lock", report.Error, StringComparison.Ordinal);
        Assert.Equal(4, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
        Assert.Equal(0, await CountAsync(archiver, "objects", Begun));
        Assert.Equal(4, (await archiver.DiscardAsync(Token)).Discarded.Archives);
    }

    private async Task<ArchiverFixture> DueAsync()
    {
        var archiver = await ArchivedAsync();
        await AgeAsync(archiver, 4);
        await archiver.DiscardAsync(Token);
        await PassNoticeAsync(archiver);
        return archiver;
    }
}

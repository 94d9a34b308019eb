using Archiver.Core.Diagnostics;
using Archiver.Testing;
using Archiver.Testing.Proof;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>A pause that comes while a discard goes on.</summary>
public sealed class DiscardPauseTests(TestServers servers) : DiscardScenario(servers)
{
    /// <summary>A page is 64 objects. What is destroyed cannot be put back, so whoever pauses it must not wait for its end.</summary>
    [Theory]
    [InlineData(FaultPoints.DiscardAnnounced)]
    [InlineData(FaultPoints.DiscardRecorded)]
    public async Task Stops_between_two_pages_when_somebody_pauses_the_source(string point)
    {
        await using var archiver = await ArchivedAsync(idle: 70);
        await AgeAsync(archiver, 70);
        var destroys = point == FaultPoints.DiscardRecorded;
        if (destroys)
        {
            await archiver.DiscardAsync(Token);
            await PassNoticeAsync(archiver);
        }
        InProcessFault.Once(point, () =>
            archiver.Database.ExecuteAsync("INSERT INTO archiver.pauses (source, policy, paused_by) VALUES ('main', '', 'x')", Token)
        );

        var report = await archiver.DiscardAsync(Token);
        var paused = await archiver.DiscardAsync(Token);

        Assert.Equal(
            (RunOutcome.Done, destroys ? 64L : 0L, destroys ? 0L : 64L),
            (report.Outcome, report.Discarded.Objects, report.Announced.Objects)
        );
        Assert.Equal(destroys ? 6 : 70, (await archiver.Bucket.ListKeysAsync("chat_archives/2", Token)).Count);
        Assert.Equal(RunOutcome.Paused, paused.Outcome);
        Assert.NotNull(report.Error);
        Assert.Equal(paused.Error, report.Error);
    }
}

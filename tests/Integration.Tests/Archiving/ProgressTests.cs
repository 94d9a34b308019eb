using System.Collections.Concurrent;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Archiving;

/// <summary>What a person who watches a run is told of it.</summary>
public sealed class ProgressTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(StorageLayout.Session)]
    [InlineData(StorageLayout.Bundle)]
    public async Task Sessions_count_as_they_are_stored_and_read_back_before_their_batch_is_committed(StorageLayout layout)
    {
        await using var archiver = await ArchiverFixture.CreateAsync(servers, Token, idle: 12, young: 1, messages: 1, configure: s =>
            s with
            {
                Storage = s.Storage with { Layout = layout },
            }
        );
        var told = new Told();

        await archiver.RunAsync(Token, told);

        // One batch: nothing is finished until all of it is.
        var before = told.Reports.Where(r => r.Finished == 0).ToList();
        Assert.Equal(12, before.Max(r => r.Stored));
        Assert.Equal(12, before.Max(r => r.Verified));
        Assert.Contains(before, r => r.Share is > 0 and < 1);
        Assert.DoesNotContain(before, r => r.Share >= 1);
        Assert.Equal(1, told.Reports.Last().Share);
    }

    [Theory]
    [InlineData(0, 0, 0, 0.0)]
    [InlineData(6, 3, 0, 0.25)]
    [InlineData(12, 12, 0, 2.0 / 3)]
    [InlineData(0, 0, 6, 0.5)]
    [InlineData(12, 12, 12, 1.0)]
    [InlineData(20, 20, 20, 1.0)]
    public void The_share_is_whole_only_when_all_is_finished(long stored, long verified, long finished, double share) =>
        Assert.Equal(share, new RunProgress(12, finished) { Stored = stored, Verified = verified }.Share, precision: 6);

    private sealed class Told : IProgress<RunProgress>
    {
        public ConcurrentQueue<RunProgress> Reports { get; } = [];

        public void Report(RunProgress value) => Reports.Enqueue(value);
    }
}

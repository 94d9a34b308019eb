using Archiver.Core.Pipelines;

namespace Archiver.Core.Tests.Pipeline;

public sealed class AdaptiveBatchSizeTests
{
    private static readonly TimeSpan Slow = AdaptiveBatchSize.Target + TimeSpan.FromMilliseconds(1),
        Quick = AdaptiveBatchSize.Target / 2;

    [Fact]
    public void Halves_after_a_slow_batch_and_grows_slowly_back_to_where_it_began()
    {
        var pace = new AdaptiveBatchSize(1000);

        pace.Report(1000, Slow);
        Assert.Equal(500, pace.Sessions);
        pace.Report(500, Slow);
        Assert.Equal(250, pace.Sessions);
        pace.Report(250, Quick);
        Assert.Equal(300, pace.Sessions);
        for (var i = 0; i < 20; i++)
            pace.Report(300, Quick);
        Assert.Equal(1000, pace.Sessions);
    }

    [Fact]
    public void Goes_by_what_a_batch_had_where_rows_or_bytes_bound_it()
    {
        var pace = new AdaptiveBatchSize(1000);

        pace.Report(40, Slow);

        Assert.Equal(20, pace.Sessions);
    }

    [Fact]
    public void Learns_nothing_from_one_large_session_and_never_comes_to_nothing()
    {
        var pace = new AdaptiveBatchSize(3);

        pace.Report(1, Slow);
        Assert.Equal(3, pace.Sessions);
        pace.SlowDown(3);
        pace.SlowDown(3);
        Assert.Equal(1, pace.Sessions);
    }
}

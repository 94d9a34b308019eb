using Archiver.Core.Settings;

namespace Archiver.Core.Tests.Policies;

public sealed class ShardTests
{
    [Theory]
    [InlineData(10, 3)]
    [InlineData(2, 3)]
    [InlineData(0, 2)]
    [InlineData(7, 1)]
    public void Divides_a_bound_without_losing_or_adding_any(long bound, int shards) =>
        Assert.Equal(bound, Shard.All(shards).Sum(s => s.ShareOf(bound)));

    [Fact]
    public void Leaves_no_bound_unbounded() => Assert.Equal(long.MaxValue, new Shard(2, 3).ShareOf(long.MaxValue));
}

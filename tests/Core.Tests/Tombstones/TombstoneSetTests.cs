using Archiver.Core.Bucket;

namespace Archiver.Core.Tests.Tombstones;

/// <summary>What a tombstone covers: what existed when it was written. What came later only bears the same id.</summary>
public sealed class TombstoneSetTests
{
    private static readonly DateTimeOffset Erased = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero),
        Before = Erased.AddDays(-1),
        After = Erased.AddDays(1);

    private static readonly TombstoneSet Set = Make();

    [Theory]
    [InlineData(false, false, true)]
    [InlineData(true, false, true)]
    [InlineData(false, true, true)]
    public void Covers_what_began_or_was_copied_before_it_and_what_nothing_is_known_of(bool created, bool copied, bool covered)
    {
        Assert.Equal(covered, Set.Covers("key", null, created ? Before : null, copied ? Before : null));
        Assert.Equal(covered, Set.Covers("other", "user", created ? Before : null, copied ? Before : null));
    }

    [Fact]
    public void Does_not_cover_what_came_after_it_whichever_time_says_so()
    {
        Assert.False(Set.Covers("key", "user", After, After));
        Assert.False(Set.Covers("key", "user", After, null));
        Assert.False(Set.Covers("key", "user", null, After));
        Assert.False(Set.Covers("other", "somebody", Before, Before));
    }

    [Fact]
    public void A_session_that_began_before_it_is_covered_although_its_copy_was_made_later() =>
        Assert.True(Set.Covers("key", null, Before, After));

    [Fact]
    public void A_copy_that_was_made_before_it_is_covered_whatever_its_session_says_of_its_beginning() =>
        Assert.True(Set.Covers("key", null, After, Before));

    [Fact]
    public void Knows_which_keys_and_users_were_ever_erased()
    {
        Assert.True(Set.CoversSession("key") && Set.CoversUser("user"));
        Assert.False(Set.CoversSession("user") || Set.CoversUser("key") || TombstoneSet.Empty.CoversUser("user"));
    }

    private static TombstoneSet Make()
    {
        var key = TombstoneKey.Create();
        return new(
            key,
            ["main"],
            [
                new(Tombstone.Session, key.HashOf(Tombstone.Session, "main", "key"), Erased),
                new(Tombstone.User, key.HashOf(Tombstone.User, "main", "user"), Erased),
            ]
        );
    }
}

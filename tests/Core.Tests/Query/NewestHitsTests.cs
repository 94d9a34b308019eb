using Archiver.Core.Query;

namespace Archiver.Core.Tests.Query;

/// <summary>What a search keeps of its hits: the newest, and nothing that grows with their number.</summary>
public sealed class NewestHitsTests
{
    [Fact]
    public void Counts_all_and_makes_no_object_for_a_hit_that_is_not_kept()
    {
        const int Lines = 1_000_000;
        var text = string.Concat(Enumerable.Repeat("a\n", Lines));
        var hits = new NewestHits(most: 100);
        var before = GC.GetAllocatedBytesForCurrentThread();

        hits.Add(Message(1, "2020-01-01"), text, "a");

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, Lines);
        Assert.Equal((Lines, 100), (hits.Count, hits.Newest.Count));
    }

    [Fact]
    public void Keeps_the_newest_whatever_comes_first_and_of_a_message_its_first_lines()
    {
        var hits = new NewestHits(most: 3);

        hits.Add(Message(1, "2020-01-01"), "a 1\na 2\na 3\na 4", "a");
        hits.Add(Message(2, null), "a 5", "a");
        hits.Add(Message(3, "2021-01-01"), "no\na 6\nno\nA 7", "a");

        Assert.Equal((7, "a 6|A 7|a 1"), (hits.Count, string.Join('|', hits.Newest.Select(h => h.Line))));
    }

    [Fact]
    public void Takes_no_hit_for_another()
    {
        var hits = new NewestHits(most: 10);

        foreach (var source in new[] { "main", "other" })
        foreach (var column in new[] { "content", "title" })
            hits.Add(Message(1, "2020-01-01") with { Source = source, Column = column }, "same\nsame", "same");

        Assert.Equal(8, hits.Newest.Count);
    }

    private static TextHit Message(int number, string? time) => new("main", "s", 1, "u", number, time, "user", "content", "", 0, 1);
}

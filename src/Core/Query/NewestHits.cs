namespace Archiver.Core.Query;

/// <summary>
/// Counts hits and keeps the newest of them. A message may have millions; the line of one that is not kept is not even cut out.
/// </summary>
/// <param name="most">So many are kept.</param>
internal sealed class NewestHits(int most)
{
    private readonly Lock _lock = new();

    private readonly SortedSet<TextHit> _kept = new(TextHit.NewestFirst);

    private long _count;

    /// <summary>How many there were in all.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>Those that are kept, newest first.</summary>
    public IReadOnlyList<TextHit> Newest
    {
        get
        {
            lock (_lock)
                return [.. _kept];
        }
    }

    /// <summary>Adds every line of a text that has the sought one; several may add at once.</summary>
    /// <param name="message">Where the text stands; its line is filled here.</param>
    /// <param name="text">The text.</param>
    /// <param name="sought">What is sought in it.</param>
    public void Add(TextHit message, string text, string sought)
    {
        var (count, kept) = (0L, true);
        foreach (var line in TextHit.Lines(text, sought))
        {
            count++;
            // In the order, what stands behind it in the same text comes behind it.
            kept = kept && Keep(message.With(text, line));
        }
        Interlocked.Add(ref _count, count);
    }

    private bool Keep(TextHit hit)
    {
        lock (_lock)
        {
            _kept.Add(hit);
            if (_kept.Count <= most)
                return true;
            var last = _kept.Max!;
            _kept.Remove(last);
            return !ReferenceEquals(last, hit);
        }
    }
}

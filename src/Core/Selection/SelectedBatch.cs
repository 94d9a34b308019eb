using Archiver.Core.Ledger;
using Archiver.Core.Settings;

namespace Archiver.Core.Selection;

/// <summary>
/// Sessions that go through all stages together: bounded by sessions, rows and bytes, except that a single session may be of any size.
/// </summary>
internal sealed class SelectedBatch
{
    /// <summary>
    /// Bytes above which a session goes alone: beside others the rows of all its tables but the last would be held in memory.
    /// </summary>
    public const long Large = 8 << 20;

    private SelectedBatch(IReadOnlyList<SelectedSession> sessions) => Sessions = sessions;

    /// <summary>At least one, in the order of selection, each once.</summary>
    public IReadOnlyList<SelectedSession> Sessions { get; }

    public long Rows => Sessions.Sum(s => s.Rows);

    public long Bytes => Sessions.Sum(s => s.Bytes);

    /// <summary>Takes as many sessions from the front of the queue as the bounds allow; null when it is empty.</summary>
    public static SelectedBatch? Take(Queue<SelectedSession> candidates, BatchSettings bounds)
    {
        List<SelectedSession> taken = [];
        long rows = 0,
            bytes = 0;
        while (taken.Count < bounds.Sessions && candidates.TryPeek(out var next))
        {
            rows += next.Rows;
            bytes += next.Bytes;
            if (taken.Count > 0 && (rows > bounds.Rows || bytes > bounds.Bytes || next.Bytes > Large))
                break;
            taken.Add(candidates.Dequeue());
            if (next.Bytes > Large)
                break;
        }
        return taken.Count == 0 ? null : new(taken);
    }

    /// <summary>Without some of its sessions; null when nothing is left.</summary>
    public SelectedBatch? Without(IReadOnlySet<string> keys) =>
        Sessions.Where(s => !keys.Contains(s.Key)).ToList() is { Count: > 0 } left ? new(left) : null;

    /// <summary>All of its sessions, skipped for one reason that is not their own.</summary>
    public IReadOnlyList<DroppedSession> Dropped(string reason) =>
        [.. Sessions.Select(s => new DroppedSession(s.Key, reason, Failed: false))];

    /// <summary>Two halves, to find the session that a server chokes on, or to finish within a timeout.</summary>
    /// <exception cref="InvalidOperationException">The batch is a single session.</exception>
    public (SelectedBatch First, SelectedBatch Second) Halve() =>
        Sessions.Count < 2
            ? throw new InvalidOperationException("A batch of one session cannot be halved.")
            : (new([.. Sessions.Take(Sessions.Count / 2)]), new([.. Sessions.Skip(Sessions.Count / 2)]));
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Documents;

namespace Archiver.Core.Erasure;

/// <summary>
/// The sessions of one erasure and what is known of each so far. A session counts as erased until something of it is found to stay.
/// </summary>
internal sealed class EraseWork(IReadOnlyList<FoundObject> unrecorded, IReadOnlyList<string> tombstones)
{
    private readonly SortedDictionary<string, (string State, SortedSet<string> Reasons)> _sessions = new(StringComparer.Ordinal);

    /// <summary>Names of the tombstones that the bucket had before.</summary>
    public IReadOnlyList<string> Tombstones { get; } = tombstones;

    public List<string> Unknown { get; } = [];

    public List<string> ErasedBefore { get; } = [];

    /// <summary>What may hold something of it and could not be read, or is not ours to remove; a sentence each.</summary>
    public List<string> Unresolved { get; } = [];

    /// <summary>What documents said of archives whose users the ledger did not know.</summary>
    public List<ArchiveOwner> Owners { get; } = [];

    public IReadOnlyList<ErasedSession> Sessions =>
        [.. _sessions.Select(s => new ErasedSession(s.Key, s.Value.State, [.. s.Value.Reasons]))];

    /// <summary>
    /// Sessions that nothing forbids to erase. One of which something stayed is still tried everywhere else; a held one is not.
    /// </summary>
    public IReadOnlyList<string> Free => [.. _sessions.Where(s => IsFree(s.Key)).Select(s => s.Key)];

    public bool IsComplete => Unknown.Count == 0 && Unresolved.Count == 0 && _sessions.Values.All(s => s.State == ErasedSession.Erased);

    /// <summary>Objects that the ledger does not know and that hold one of the sessions.</summary>
    public IReadOnlyList<FoundObject> Unrecorded => [.. unrecorded.Where(o => o.Documents.Any(d => IsFree(d.SessionId)))];

    /// <summary>The documents in all versions of a key that the ledger does not know.</summary>
    public IEnumerable<FoundDocument> AllOf(string key) => unrecorded.Where(o => o.Key == key).SelectMany(o => o.Documents);

    public void Add(IEnumerable<string> sessions)
    {
        foreach (var session in sessions)
            _sessions.TryAdd(session, (ErasedSession.Erased, new(StringComparer.Ordinal)));
    }

    public bool IsFree(string session) =>
        _sessions.TryGetValue(session, out var known)
        && known.State != ErasedSession.Held
        && !known.Reasons.Contains(Reused)
        && !known.Reasons.Contains(Anothers);

    /// <summary>Something of a session stays.</summary>
    public void Keep(string session, string state, string reason)
    {
        if (!_sessions.TryGetValue(session, out var known))
            return;
        known.Reasons.Add(reason);
        if (known.State != ErasedSession.Held)
            _sessions[session] = known with { State = state };
    }

    public EraseReceipt Receipt(string source) =>
        new()
        {
            Source = source,
            Outcome = RunOutcome.Done,
            Sessions = Sessions,
            Unknown = Unknown,
            ErasedBefore = ErasedBefore,
            Unresolved = Unresolved,
        };

    /// <summary>Why a session is left alone by a second application of its tombstone.</summary>
    public const string Reused = "a newer session bears its id: erase it by name if that is meant";

    /// <summary>Why a session is left alone of which something is the user's.</summary>
    public const string Anothers = "it is another user's now: erase it by id if that is meant";
}

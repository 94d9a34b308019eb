using Archiver.Core.Diagnostics;
using Archiver.Core.Import;
using Archiver.Core.Reading;

namespace Archiver.Core.Restore;

/// <summary>Counts of one restore, added to by its stages at the same time.</summary>
/// <param name="progress">Told after every change.</param>
/// <param name="keepConflicts">Whether sessions that conflict are kept for a second attempt instead of refused.</param>
internal sealed class RestoreTally(IProgress<RestoreProgress>? progress, bool keepConflicts)
{
    private readonly Lock _lock = new();
    private readonly List<RestoreRefusal> _refused = [];
    private readonly List<RestoreCandidate> _conflicting = [];
    private readonly HashSet<string> _waiting = new(StringComparer.Ordinal);
    private readonly List<RowsBeside> _beside = [];
    private readonly Dictionary<string, string> _notReplaced = new(StringComparer.Ordinal);
    private long _selected,
        _restored,
        _there,
        _rows,
        _bytes;

    /// <summary>Set when what was asked for makes no sense.</summary>
    public bool WrongUsage { get; set; }

    /// <summary>Sessions that went through.</summary>
    public long Restored => Interlocked.Read(ref _restored);

    /// <summary>Sessions whose live version has to be archived first, each before its parts; taken once.</summary>
    public IReadOnlyList<RestoreCandidate> TakeConflicting()
    {
        lock (_lock)
        {
            RestoreCandidate[] taken = [.. _conflicting];
            _conflicting.Clear();
            _waiting.Clear();
            keepConflicts = false;
            return taken;
        }
    }

    /// <summary>
    /// Whether the live version of a session has to be archived first. Then the part is kept for the second attempt, too: put beside the
    /// live rows it would go away with them.
    /// </summary>
    public bool Keeps(StagedSession part)
    {
        lock (_lock)
        {
            if (!_waiting.Contains(part.Key))
                return false;
            // Its messages go away with the live version, so they are to be put back, also where they were only to be looked for.
            _conflicting.Add(part.Candidate with { SessionId = part.Key, IsOnlyCompared = false });
            return true;
        }
    }

    /// <summary>Says why the live version of a session could not give way; told for a conflict that is still there.</summary>
    public void AddNotReplaced(string session, string reason)
    {
        lock (_lock)
            _notReplaced[session] = $"{reason}; its live rows stay as they are";
    }

    /// <summary>Refuses what could not be tried again; the reason stands for those whose live version has none of its own.</summary>
    public void AddNotReached(IReadOnlyList<RestoreCandidate> left, string reason)
    {
        lock (_lock)
            _refused.AddRange(
                left.Select(c => new RestoreRefusal(c.SessionId, c.Object.Key, _notReplaced.GetValueOrDefault(c.SessionId!, reason)))
            );
        Report();
    }

    /// <summary>Whether nothing was found so far of what was asked for.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_lock)
                return _selected == 0 && _refused.Count == 0;
        }
    }

    /// <summary>Sessions found in the tables without a look at their documents: the ledger says that they were restored.</summary>
    public void AddAlreadyThere(long sessions)
    {
        lock (_lock)
        {
            _selected += sessions;
            _there += sessions;
        }
    }

    public void AddSelected(int sessions)
    {
        lock (_lock)
            _selected += sessions;
    }

    public void AddRefused(string? session, string? key, string reason)
    {
        lock (_lock)
            _refused.Add(new(session, key, reason));
        Report();
    }

    public void Add(IEnumerable<ImportedSession> sessions)
    {
        lock (_lock)
        {
            foreach (var session in sessions)
            {
                switch (session.Outcome)
                {
                    case ImportOutcome.Restored:
                        _restored++;
                        _rows += session.Session.Rows;
                        _bytes += session.Session.JsonLength;
                        _beside.AddRange(session.Beside);
                        break;
                    case ImportOutcome.AlreadyThere:
                        _there++;
                        _beside.AddRange(session.Beside);
                        break;
                    case ImportOutcome.Conflicting when keepConflicts:
                        _conflicting.Add(session.Session.Candidate with { SessionId = session.Session.Key });
                        _waiting.Add(session.Session.Key);
                        break;
                    default:
                        _refused.Add(
                            new(
                                session.Session.Key,
                                session.Session.Candidate.Object.Key,
                                _notReplaced.GetValueOrDefault(session.Session.Key, session.Reason!)
                            )
                        );
                        break;
                }
            }
        }
        Report();
    }

    public RestoreReport Summarize(Guid run, bool dryRun, RunOutcome? outcome, string? error, TimeSpan elapsed)
    {
        lock (_lock)
        {
            return new()
            {
                RunId = run,
                Outcome = outcome ?? (_refused.Count > 0 ? RunOutcome.Partial : RunOutcome.Done),
                DryRun = dryRun,
                Selected = _selected,
                Restored = _restored,
                AlreadyThere = _there,
                Refused = [.. _refused.OrderBy(r => r.SessionId, StringComparer.Ordinal)],
                Beside = [.. _beside.OrderBy(b => b.SessionId, StringComparer.Ordinal)],
                Rows = _rows,
                JsonBytes = _bytes,
                Elapsed = elapsed,
                Error = error,
                WrongUsage = WrongUsage,
            };
        }
    }

    private void Report()
    {
        if (progress is null)
            return;
        lock (_lock)
        {
            var finished = _restored + _there + _refused.Count;
            // What was asked for and has no archive was never selected, and is finished all the same.
            progress.Report(new(Math.Max(_selected, finished), finished));
        }
    }
}

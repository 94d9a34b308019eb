using Archiver.Core.Diagnostics;

namespace Archiver.Core.Ledger;

/// <summary>Counts of one run, added to by its stages at the same time.</summary>
internal sealed class RunTally
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, long> _reasons = new(StringComparer.Ordinal);
    private string? _cutShort;
    private long _stored,
        _verified,
        _selected,
        _sessions,
        _rows,
        _jsonBytes,
        _storedBytes,
        _skipped,
        _failed,
        _delayed;

    public void AddSelected(long sessions)
    {
        lock (_lock)
            _selected += sessions;
    }

    /// <summary>Sessions that the store has accepted.</summary>
    public void AddStored(long sessions) => Interlocked.Add(ref _stored, sessions);

    /// <summary>Sessions whose copies were read back, whatever was found.</summary>
    public void AddVerified(long sessions) => Interlocked.Add(ref _verified, sessions);

    /// <summary>How far it is.</summary>
    public RunProgress Progress(long eligible) =>
        new(eligible, Finished) { Stored = Interlocked.Read(ref _stored), Verified = Interlocked.Read(ref _verified) };

    /// <summary>Sessions confirmed by a commit.</summary>
    public void AddDone(long sessions, long rows, long jsonBytes, long storedBytes)
    {
        lock (_lock)
        {
            _sessions += sessions;
            _rows += rows;
            _jsonBytes += jsonBytes;
            _storedBytes += storedBytes;
        }
    }

    /// <summary>Sessions that an earlier run stored, whose rows are confirmed deleted now.</summary>
    public void AddDelayed(long sessions, long rows)
    {
        AddDone(sessions, rows, jsonBytes: 0, storedBytes: 0);
        lock (_lock)
            _delayed += sessions;
    }

    public void AddDropped(IReadOnlyCollection<DroppedSession> dropped)
    {
        lock (_lock)
        {
            foreach (var session in dropped)
                _reasons[session.Reason] = _reasons.GetValueOrDefault(session.Reason) + 1;
            _failed += dropped.Count(d => d.Failed);
            _skipped += dropped.Count(d => !d.Failed);
        }
    }

    /// <summary>Why no more sessions were selected although there may be more.</summary>
    public void CutShort(string reason)
    {
        lock (_lock)
            _cutShort = reason;
    }

    /// <summary>Sessions that are through, whatever became of them.</summary>
    private long Finished
    {
        get
        {
            lock (_lock)
                return _sessions + _skipped + _failed;
        }
    }

    /// <summary>The counts as a summary; without an outcome given, failed sessions make it partial.</summary>
    public RunSummary Summarize(RunContext run, RunOutcome? outcome, string? error, TimeSpan elapsed)
    {
        lock (_lock)
        {
            return new()
            {
                RunId = run.Id,
                Source = run.Source.Name,
                Policy = run.Policy.Name,
                Action = run.Policy.Action,
                RowsStay = run.Policy.RowsStay,
                Outcome = outcome ?? (_failed > 0 ? RunOutcome.Partial : RunOutcome.Done),
                Selected = _selected,
                Sessions = _sessions,
                Delayed = _delayed,
                Rows = _rows,
                JsonBytes = _jsonBytes,
                StoredBytes = _storedBytes,
                Skipped = _skipped,
                Failed = _failed,
                Reasons = new SortedDictionary<string, long>(_reasons, StringComparer.Ordinal),
                CutShort = _cutShort,
                Elapsed = elapsed,
                Error = error,
            };
        }
    }
}

namespace Archiver.Core.Ledger;

/// <summary>Counts of one run, added to by its stages at the same time.</summary>
internal sealed class RunTally
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, long> _reasons = new(StringComparer.Ordinal);
    private long _selected, _sessions, _rows, _jsonBytes, _storedBytes, _skipped, _failed, _delayed;

    public void AddSelected(long sessions)
    {
        lock (_lock)
            _selected += sessions;
    }

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

    /// <summary>Sessions that are through, whatever became of them.</summary>
    public long Finished
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
                Elapsed = elapsed,
                Error = error,
            };
        }
    }
}

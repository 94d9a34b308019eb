using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;

namespace Archiver.Core.Pipelines;

/// <summary>
/// Runs a policy's shards one after another and leaves out those that another worker has: so workers with the same schedule share a backlog
/// without knowing of each other. A shard whose worker died meanwhile is done at the end.
/// </summary>
/// <param name="request">The policy, without a shard.</param>
/// <param name="shards">How many there are.</param>
/// <param name="run">Runs one shard.</param>
/// <param name="unfinished">Asks the ledger which shards' last worker died in the middle.</param>
internal sealed class ShardedRun(
    RunRequest request,
    int shards,
    Func<RunRequest, Task<RunSummary>> run,
    Func<CancellationToken, Task<IReadOnlyList<int>>> unfinished
)
{
    private readonly List<RunSummary> _summaries = [];

    public async Task<RunSummary> RunAsync(CancellationToken cancellationToken)
    {
        var waiting = await PassAsync(Shard.All(shards));
        while (waiting.Count > 0 && _summaries.Count > 0 && !Stopped)
        {
            // Not simply all that are left: their workers are alive and do them, and what MaxSessions allows a shard is for one run of it.
            var dead = await unfinished(cancellationToken);
            var left = await PassAsync(waiting.Where(s => dead.Contains(s.Number)));
            if (left.Count == dead.Count(n => waiting.Exists(s => s.Number == n)))
                break;
            waiting = [.. waiting.Where(s => !dead.Contains(s.Number)), .. left];
        }
        return Merge();
    }

    private bool Stopped => _summaries.Exists(s => s.Outcome is not (RunOutcome.Done or RunOutcome.Partial));

    /// <summary>Runs what it can; returns the shards that others have.</summary>
    private async Task<List<Shard>> PassAsync(IEnumerable<Shard> wanted)
    {
        List<Shard> elsewhere = [];
        foreach (var shard in wanted)
        {
            var part = request with { Shard = shard };
            // Its share of MaxSessions is nothing: there are more shards than sessions to take.
            if (part.Limit == 0)
                continue;
            var summary = await run(part);
            if (summary.Outcome == RunOutcome.LockedElsewhere)
                elsewhere.Add(shard);
            else
                _summaries.Add(summary);
            if (Stopped)
                break;
        }
        return elsewhere;
    }

    private RunSummary Merge()
    {
        if (_summaries.Count == 0)
            return new()
            {
                Source = request.Source.Name,
                Policy = request.Policy.Name,
                Action = request.Policy.Action,
                Outcome = RunOutcome.LockedElsewhere,
                Error = "Other workers run on all shards of this source.",
            };
        var last = _summaries[^1];
        return last with
        {
            Outcome = OutcomeOfAll(last.Outcome),
            Selected = _summaries.Sum(s => s.Selected),
            Sessions = _summaries.Sum(s => s.Sessions),
            Delayed = _summaries.Sum(s => s.Delayed),
            Rows = _summaries.Sum(s => s.Rows),
            JsonBytes = _summaries.Sum(s => s.JsonBytes),
            StoredBytes = _summaries.Sum(s => s.StoredBytes),
            Skipped = _summaries.Sum(s => s.Skipped),
            Failed = _summaries.Sum(s => s.Failed),
            Reasons = new SortedDictionary<string, long>(
                _summaries.SelectMany(s => s.Reasons).GroupBy(r => r.Key).ToDictionary(g => g.Key, g => g.Sum(r => r.Value)),
                StringComparer.Ordinal
            ),
            Elapsed = TimeSpan.FromTicks(_summaries.Sum(s => s.Elapsed.Ticks)),
        };
    }

    // Whatever is not Done or Partial ended the passes, so it is the last one. Who reads "refused" takes it that nothing was changed.
    private RunOutcome OutcomeOfAll(RunOutcome last) =>
        last == RunOutcome.Refused && _summaries.Exists(s => s.Sessions > 0) ? RunOutcome.Partial
        : Stopped || !_summaries.Exists(s => s.Outcome == RunOutcome.Partial) ? last
        : RunOutcome.Partial;
}

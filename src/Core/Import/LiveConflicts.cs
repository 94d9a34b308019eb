using Archiver.Core.Reading;
using Npgsql;

namespace Archiver.Core.Import;

/// <summary>Decides about sessions of which there are rows in the tables already.</summary>
/// <param name="into">The tables, and what is to happen with conflicts.</param>
/// <param name="live">Makes room where live versions would be replaced, in a dry run; else null.</param>
internal sealed class LiveConflicts(ImportTarget into, ILiveRows? live)
{
    // By session: rows of parts that came after another had been restored.
    private readonly Dictionary<string, HashSet<long>> _later = new(StringComparer.Ordinal);

    /// <summary>
    /// What it means for sessions that they have a row already. Of parts those are left out whose messages can go beside the live ones.
    /// </summary>
    public async Task<Dictionary<string, ImportedSession>> JudgeAsync(
        LiveRowComparison rows,
        IReadOnlyList<StagedSession> existing,
        CancellationToken cancellationToken
    )
    {
        var live = await rows.LiveAsync([.. existing.Where(s => s.Header.IsPart)], cancellationToken);
        var continued = await ContinuedAsync(rows, [.. existing.Where(s => !live.GetValueOrDefault(s.Key, true))], cancellationToken);
        var present = existing.Where(s => !s.Header.IsPart).ToList();
        var judged = present.Count == 0 ? [] : await JudgeWholeAsync(rows, present, cancellationToken);
        foreach (var part in existing.Where(s => live.ContainsKey(s.Key)))
            judged.Add(
                part.Key,
                live[part.Key] || continued.Contains(part.Key)
                    ? new(part, ImportOutcome.AlreadyThere)
                    : new(
                        part,
                        ImportOutcome.Refused,
                        "some of its messages are in the database, and not all of them as they were archived; nothing was changed"
                    )
            );
        return judged;
    }

    /// <summary>Notes which rows later parts have, of what came back or was there; parts come the newest first.</summary>
    public async Task RememberAsync(LiveRowComparison rows, IReadOnlyList<ImportedSession> imported, CancellationToken cancellationToken)
    {
        var later = imported.Where(i =>
            i.Session.Candidate.HasEarlierPart && i.Outcome is ImportOutcome.Restored or ImportOutcome.AlreadyThere
        );
        foreach (var (key, found) in await rows.LiveRowsAsync([.. later.Select(i => i.Session)], cancellationToken))
        {
            if (!_later.TryAdd(key, found))
                _later[key].UnionWith(found);
        }
    }

    // A later part was made of what was left of a restored one, and has it as it was last. That is so where all that is live of it is the
    // later one's. A later part of other messages says nothing of what is gone.
    private async Task<HashSet<string>> ContinuedAsync(
        LiveRowComparison rows,
        IReadOnlyList<StagedSession> incomplete,
        CancellationToken cancellationToken
    )
    {
        var again = incomplete.Where(s => s.Candidate.HasLaterPart && _later.ContainsKey(s.Key));
        var found = await rows.LiveRowsAsync([.. again], cancellationToken);
        return [.. found.Where(f => f.Value.IsSubsetOf(_later[f.Key])).Select(f => f.Key)];
    }

    private async Task<Dictionary<string, ImportedSession>> JudgeWholeAsync(
        LiveRowComparison rows,
        List<StagedSession> present,
        CancellationToken cancellationToken
    )
    {
        var differing = await rows.DifferingAsync(present, cancellationToken);
        // A message that came since is no other version of what is there.
        List<StagedSession> other = [.. present.Where(s => differing.ContainsKey(s.Key))];
        var merges = !into.Target.Map.Session.HasRow && into.Options.OnConflict != ConflictMode.Replace;
        var beside =
            (merges || into.Options.OnConflict == ConflictMode.Skip) && other.Count > 0
                ? await rows.WholeAsync(other, cancellationToken)
                : [];
        // What came since under the key of a session without a row is no other version of it: there is none. The archived rows go beside.
        if (merges)
            present.RemoveAll(s => differing.ContainsKey(s.Key) && !beside.ContainsKey(s.Key));
        return present.ToDictionary(
            s => s.Key,
            s =>
                beside.TryGetValue(s.Key, out var others)
                    ? new(s, ImportOutcome.AlreadyThere) { Beside = others }
                    : Judge(s, differing.GetValueOrDefault(s.Key)),
            StringComparer.Ordinal
        );
    }

    /// <summary>
    /// Removes the sessions whose live rows gave way from <paramref name="present"/>, and returns their keys. The import inserts these
    /// sessions then. A real replacement does the same, after its run has archived the live rows.
    /// </summary>
    public async Task<HashSet<string>> RehearseReplacementAsync(
        NpgsqlConnection connection,
        NpgsqlTransaction transaction,
        Dictionary<string, ImportedSession> present,
        CancellationToken cancellationToken
    )
    {
        List<ImportedSession> conflicting = [.. present.Values.Where(s => s.Outcome == ImportOutcome.Conflicting)];
        if (conflicting.Count == 0 || live is null || into.Options is not { DryRun: true, OnConflict: ConflictMode.Replace })
            return [];
        var reasons = await live.TakeAwayAsync(connection, transaction, [.. conflicting.Select(s => s.Session.Key)], cancellationToken);
        foreach (var (session, key) in conflicting.Select(s => (s.Session, s.Session.Key)))
        {
            if (reasons.TryGetValue(key, out var reason))
                present[key] = StaysLive(session, reason);
            else
                present.Remove(key);
        }
        return [.. conflicting.Select(s => s.Session.Key)];
    }

    /// <summary>Its archived rows have no place.</summary>
    public static ImportedSession StaysLive(StagedSession session, string reason) =>
        new(session, ImportOutcome.Refused, $"{reason}; its live rows stay as they are");

    private ImportedSession Judge(StagedSession session, PlannedTable? differing) =>
        differing switch
        {
            null when into.Options.OnConflict != ConflictMode.Fail => new(session, ImportOutcome.AlreadyThere),
            null => new(session, ImportOutcome.Refused, "it is in the database already, with the same rows; nothing was changed"),
            _ => new(
                session,
                ImportOutcome.Conflicting,
                $"it is in the database already, with other rows in {differing.Target!.Table}; nothing was changed"
            ),
        };
}

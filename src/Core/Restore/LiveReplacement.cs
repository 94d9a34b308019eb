using Archiver.Core.Import;
using Archiver.Core.Ledger;
using Archiver.Core.Pipelines;
using Archiver.Core.Reading;
using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Storage;

namespace Archiver.Core.Restore;

/// <summary>
/// The part of <c>--on-conflict replace</c> that takes live versions away: by runs that archive them, and put the archived rows in their
/// place.
/// </summary>
internal sealed class LiveReplacement(
    SourceSettings source,
    ArchiverSettings settings,
    SourceConnections connections,
    IArchiveReader store,
    PolicyRunner policies
)
{
    /// <summary>
    /// Archives live versions and puts archived ones in their place, each session in one transaction; returns what was not replaced, and
    /// after it the parts, which go beside what is in the tables now.
    /// </summary>
    public async Task<IReadOnlyList<RestoreCandidate>> ReplaceAsync(
        RestoreOptions options,
        Guid run,
        RestoreTally tally,
        IReadOnlyList<RestoreCandidate> conflicting,
        CancellationToken cancellationToken
    )
    {
        await using var tables = await RestoreTables.OpenAsync(source, options, connections, store, cancellationToken);
        List<RestoreCandidate> left = [];
        foreach (var chunk in conflicting.DistinctBy(c => c.SessionId).Chunk(LiveVersions.MaxSessions))
        {
            var replacement = new Replacement(
                chunk.ToDictionary(c => c.SessionId!, StringComparer.Ordinal),
                store,
                tables.Stager,
                tables.Into,
                new RestoreRecords(source, run, lease: null, options.Who),
                settings
            );
            await using (replacement)
            {
                var policy = LiveVersions.Policy(source, tables.Into.Target.Shape, [.. chunk.Select(c => c.SessionId!)]);
                var summary = await policies.ReplaceAsync(new RunRequest(source, policy), replacement, cancellationToken);
                tally.Add(replacement.Done);
                foreach (var candidate in chunk.ExceptBy(replacement.Done.Select(d => d.Session.Key), c => c.SessionId))
                {
                    left.Add(candidate);
                    if ((replacement.Reasons.GetValueOrDefault(candidate.SessionId!) ?? summary.Error) is { } reason)
                        tally.AddNotReplaced(candidate.SessionId!, reason.TrimEnd('.'));
                }
            }
        }
        return [.. left, .. conflicting.GroupBy(c => c.SessionId!).SelectMany(g => g.Skip(1))];
    }
}

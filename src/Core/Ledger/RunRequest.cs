using Archiver.Core.Settings;

namespace Archiver.Core.Ledger;

/// <summary>What to run.</summary>
/// <param name="Source">The source.</param>
/// <param name="Policy">One of its policies.</param>
/// <param name="MaxSessions">A bound on top of the policy's own; null for none.</param>
/// <param name="Shard">Only this part of the source's sessions; null for all, one after another where there are several.</param>
public sealed record RunRequest(SourceSettings Source, Policy Policy, long? MaxSessions = null, Shard? Shard = null)
{
    /// <summary>The smaller of both bounds; <see cref="long.MaxValue"/> when there is none. Of a shard its share.</summary>
    public long Limit => (Shard ?? Settings.Shard.Whole).ShareOf(PolicyLimit);

    /// <summary>The same over all shards.</summary>
    public long PolicyLimit => Math.Min(MaxSessions ?? long.MaxValue, Policy.MaxSessions ?? long.MaxValue);
}

/// <summary>How far a run is.</summary>
/// <param name="Eligible">Sessions that the policy takes, counted when the run began.</param>
/// <param name="Finished">Sessions that are archived, skipped or failed.</param>
public sealed record RunProgress(long Eligible, long Finished)
{
    /// <summary>Sessions of this run that the store has accepted; 0 where nothing is stored.</summary>
    public long Stored { get; init; }

    /// <summary>Of those, the ones that were read back.</summary>
    public long Verified { get; init; }

    /// <summary>
    /// The part of the work that is done, from 0 to 1: storing, reading back and what follows it count alike. Only when all is finished it
    /// is 1.
    /// </summary>
    public double Share =>
        Eligible == 0 ? 1 : Math.Min(1, (Math.Max(Stored, Finished) + Math.Max(Verified, Finished) + Finished) / (3.0 * Eligible));
}

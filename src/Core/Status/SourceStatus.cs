using Archiver.Core.Proofs;

namespace Archiver.Core.Status;

/// <summary>How a source is doing. Command line, metrics and status page show these very numbers, so they cannot disagree.</summary>
internal sealed record SourceStatus
{
    public required string Source { get; init; }

    /// <summary>The database's clock when it was read.</summary>
    public required DateTimeOffset At { get; init; }

    public required IReadOnlyList<PolicyStatus> Policies { get; init; }

    public required IReadOnlyList<TableStatus> Tables { get; init; }

    /// <summary>
    /// Why discard, erase and reconcile --fix destroy nothing here: the ledger belongs to another database. Null when it is this one's.
    /// </summary>
    public string? NotOwner { get; init; }

    /// <summary>Sessions set aside for a person.</summary>
    public required long Quarantined { get; init; }

    /// <summary>Sessions that failed and are tried again.</summary>
    public required long Failing { get; init; }

    /// <summary>Holds in force.</summary>
    public required long Holds { get; init; }

    /// <summary>Pauses in force that concern this source, as a person named them.</summary>
    public required IReadOnlyList<string> Pauses { get; init; }

    /// <summary>Archives in the ledger by state.</summary>
    public required IReadOnlyDictionary<string, long> Archives { get; init; }

    /// <summary>All runs of the ledger, summed up by policy and action.</summary>
    public required IReadOnlyList<RunTotals> Totals { get; init; }

    /// <summary>The newest runs, newest first.</summary>
    public required IReadOnlyList<RecordedRun> Runs { get; init; }

    /// <summary>What runs did day by day (UTC), oldest first, today last; days without a run are there with zeros.</summary>
    public required IReadOnlyList<DayOfRuns> Days { get; init; }

    /// <summary>The scheduled proofs: those that are configured, and those that the ledger remembers.</summary>
    public required IReadOnlyList<ProofStatus> Proofs { get; init; }

    /// <summary>Archives that were not right when they were last read, counted by problem; every problem is there.</summary>
    public required IReadOnlyDictionary<string, long> Damaged { get; init; }

    /// <summary>The first of them, which were found first.</summary>
    public required IReadOnlyList<DamagedArchive> DamagedArchives { get; init; }

    public required CostStatus Cost { get; init; }

    /// <summary>How long reading took.</summary>
    public TimeSpan ReadIn { get; init; }
}

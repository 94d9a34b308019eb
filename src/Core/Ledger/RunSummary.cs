using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;

namespace Archiver.Core.Ledger;

/// <summary>The summary of one run.</summary>
public sealed record RunSummary
{
    /// <summary>UUIDv7, empty when no run began.</summary>
    public Guid RunId { get; init; }

    public required string Source { get; init; }

    public required string Policy { get; init; }

    /// <summary>What the policy does; null for a restore, which no policy asks for.</summary>
    public PolicyAction? Action { get; init; }

    public required RunOutcome Outcome { get; init; }

    /// <summary>The policy only reports: <see cref="Selected"/> is what a real run would take.</summary>
    public bool DryRun { get; init; }

    /// <summary>The policy stores first: <see cref="Sessions"/> but for <see cref="Delayed"/> are stored, and their rows stay.</summary>
    public bool RowsStay { get; init; }

    public long Selected { get; init; }

    /// <summary>Sessions confirmed by a commit.</summary>
    public long Sessions { get; init; }

    /// <summary>
    /// Of <see cref="Sessions"/> (of a dry run, of <see cref="Selected"/>) those that an earlier run stored and whose rows go now.
    /// </summary>
    public long Delayed { get; init; }

    public long Rows { get; init; }

    public long JsonBytes { get; init; }

    public long StoredBytes { get; init; }

    /// <summary>Changed, in use or gone meanwhile.</summary>
    public long Skipped { get; init; }

    public long Failed { get; init; }

    /// <summary>Skipped and failed sessions by reason.</summary>
    public IReadOnlyDictionary<string, long> Reasons { get; init; } = new SortedDictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Of a dry run: sessions that it would not take, by the first reason that keeps each out.</summary>
    public IReadOnlyDictionary<string, long> Excluded { get; init; } = new SortedDictionary<string, long>(StringComparer.Ordinal);

    /// <summary>Why it took no more although there may be more, such as a pause or MaxDuration; null when it went to its end.</summary>
    public string? CutShort { get; init; }

    public TimeSpan Elapsed { get; init; }

    /// <summary>One sentence for a person; null when nothing went wrong.</summary>
    public string? Error { get; init; }

    /// <summary>The exit code of the command line.</summary>
    public int ExitCode => Outcome.ExitCode();
}

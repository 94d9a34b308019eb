using Archiver.Core.Diagnostics;
using Archiver.Core.Import;

namespace Archiver.Core.Restore;

/// <summary>What a restore did. Counts are of committed transactions; of a dry run, of what would have been.</summary>
public sealed record RestoreReport
{
    /// <summary>The run in the ledger; empty where none was recorded.</summary>
    public Guid RunId { get; init; }

    public required RunOutcome Outcome { get; init; }

    public bool DryRun { get; init; }

    /// <summary>Sessions that were asked for and have an archive.</summary>
    public long Selected { get; init; }

    /// <summary>Sessions put back.</summary>
    public long Restored { get; init; }

    /// <summary>Sessions that were in the database already, with the same rows: nothing was changed.</summary>
    public long AlreadyThere { get; init; }

    /// <summary>Sessions that were not restored, each with its reason; nothing of them was written.</summary>
    public IReadOnlyList<RestoreRefusal> Refused { get; init; } = [];

    /// <summary>Rows that came after the archive and stand beside its own, restored or there already; they were not touched.</summary>
    public IReadOnlyList<RowsBeside> Beside { get; init; } = [];

    /// <summary>Rows put back.</summary>
    public long Rows { get; init; }

    public long JsonBytes { get; init; }

    public TimeSpan Elapsed { get; init; }

    /// <summary>One sentence for a person; null when the restore went to its end.</summary>
    public string? Error { get; init; }

    /// <summary>Whether it was refused because what was asked for makes no sense; then nothing was tried.</summary>
    public bool WrongUsage { get; init; }

    /// <summary>The exit code of the command line.</summary>
    public int ExitCode =>
        Outcome switch
        {
            RunOutcome.Refused when WrongUsage => 2,
            // Another worker may take the source between what came back and what was to take the place of live sessions.
            RunOutcome.Refused or RunOutcome.LockedElsewhere when !DryRun && Restored > 0 => 1,
            _ => Outcome.ExitCode(),
        };
}

/// <summary>A session that was not restored.</summary>
/// <param name="SessionId">Its id, or null where only its object is known.</param>
/// <param name="ObjectKey">Its object, or null where none was found.</param>
/// <param name="Reason">For a person; never a value of a row.</param>
public sealed record RestoreRefusal(string? SessionId, string? ObjectKey, string Reason);

/// <summary>How far a restore is.</summary>
/// <param name="Selected">Sessions found so far.</param>
/// <param name="Finished">Sessions that are restored, there or refused.</param>
public sealed record RestoreProgress(long Selected, long Finished);

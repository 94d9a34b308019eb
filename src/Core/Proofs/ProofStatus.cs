namespace Archiver.Core.Proofs;

/// <summary>A scheduled proof, as the ledger has it.</summary>
internal sealed record ProofStatus
{
    /// <summary>verify, restore_drill or reconcile.</summary>
    public required string Proof { get; init; }

    /// <summary>Of the last attempt that ended: done, failed or skipped; failed while none has, null while there was none.</summary>
    public string? State { get; init; }

    /// <summary>Why the last attempt did not come to its end; also while one goes on, or since its worker died in it.</summary>
    public string? Error { get; init; }

    /// <summary>When the last attempt began; where it has ended, that.</summary>
    public DateTimeOffset? TriedAt { get; init; }

    /// <summary>End of the last one that came to its end; what follows is of that one.</summary>
    public DateTimeOffset? DoneAt { get; init; }

    public double Seconds { get; init; }

    /// <summary>Archives read, restores rehearsed, or objects compared.</summary>
    public long Checked { get; init; }

    /// <summary>Counts by kind of finding, zeros included.</summary>
    public IReadOnlyDictionary<string, long> Found { get; init; } = new SortedDictionary<string, long>();

    /// <summary>The last whole walk over the archive: every archive of that time was read between this</summary>
    public DateTimeOffset? WalkedFrom { get; init; }

    /// <summary>and this.</summary>
    public DateTimeOffset? WalkedAt { get; init; }

    /// <summary>Begin of the walk that is going on; null between two.</summary>
    public DateTimeOffset? WalkBeganAt { get; init; }

    /// <summary>Archives that it has behind it.</summary>
    public long WalkChecked { get; init; }
}

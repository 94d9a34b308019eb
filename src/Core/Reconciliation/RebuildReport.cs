namespace Archiver.Core.Reconciliation;

/// <summary>
/// What <c>ledger rebuild</c> did. Holds, quarantine, acceptances and audit are not in the bucket and cannot be recovered.
/// </summary>
public sealed record RebuildReport
{
    /// <summary>Objects read.</summary>
    public required long Objects { get; init; }

    /// <summary>Archives added to the ledger.</summary>
    public required long Archives { get; init; }

    /// <summary>
    /// Documents of sessions that were erased: no archive of them was added. To remove them: <c>archiver erase --reapply</c>.
    /// </summary>
    public long Erased { get; init; }

    /// <summary>Manifests read.</summary>
    public required long Manifests { get; init; }

    /// <summary>Objects of another source, database or system: left out.</summary>
    public required IReadOnlyList<SkippedObject> Foreign { get; init; }

    /// <summary>Objects that are byte for byte objects which the ledger has elsewhere, as after a move of the bucket: left out.</summary>
    public required IReadOnlyList<SkippedObject> Copies { get; init; }

    /// <summary>Why nothing behind a delete marker was seen, or null.</summary>
    public string? Limitation { get; init; }

    /// <summary>Objects that are damaged or not archives.</summary>
    public required IReadOnlyList<SkippedObject> Unreadable { get; init; }
}

/// <summary>An object that was left alone.</summary>
public sealed record SkippedObject(string Key, string Reason);

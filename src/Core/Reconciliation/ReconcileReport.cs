namespace Archiver.Core.Reconciliation;

/// <summary>Bucket against ledger against rows. Without <c>--fix</c> nothing was changed.</summary>
public sealed record ReconcileReport
{
    public required bool Fixed { get; init; }

    /// <summary>Objects without a ledger row that are this database's; with fix they were adopted.</summary>
    public required IReadOnlyList<string> Unrecorded { get; init; }

    /// <summary>Objects without a ledger row that are another source's, database's or system's: not touched.</summary>
    public required IReadOnlyList<SkippedObject> Foreign { get; init; }

    /// <summary>Objects without a ledger row that cannot be read as archives: not touched.</summary>
    public required IReadOnlyList<SkippedObject> Unreadable { get; init; }

    /// <summary>
    /// Keys that the ledger has as stored, of which the store has no version, and whose bytes lie under no other name. Only a backup of the
    /// bucket can fix that.
    /// </summary>
    public required IReadOnlyList<string> Missing { get; init; }

    /// <summary>
    /// Stored objects that are not read as they should be: behind a delete marker or a later version, replaced, or renamed; not touched.
    /// </summary>
    public required IReadOnlyList<SkippedObject> Hidden { get; init; }

    /// <summary>Keys of objects that were discarded or removed, by the ledger, and are in the store again: not touched.</summary>
    public required IReadOnlyList<string> Returned { get; init; }

    /// <summary>
    /// Objects without a ledger row that are byte for byte objects which the ledger has elsewhere, as after a move of the bucket: not
    /// touched.
    /// </summary>
    public required IReadOnlyList<SkippedObject> Copies { get; init; }

    /// <summary>Stored objects that are not under the configured place, counted by where they are: not looked at.</summary>
    public required IReadOnlyDictionary<string, long> Elsewhere { get; init; }

    /// <summary>What was not looked at, behind delete markers or of unfinished uploads, and why; or null.</summary>
    public string? Limitation { get; init; }

    /// <summary>Sessions that the ledger calls archived and that have rows; with fix they count as restored.</summary>
    public required IReadOnlyList<string> LiveAndArchived { get; init; }

    /// <summary>
    /// Sessions that the ledger calls restored or stored and that have no row: the application deleted them; with fix the ledger says so.
    /// </summary>
    public required IReadOnlyList<string> DeletedSince { get; init; }

    /// <summary>Rows whose parent is gone, by table name.</summary>
    public required IReadOnlyDictionary<string, long> Orphans { get; init; }

    /// <summary>Abandoned objects that nobody needs; with fix they were removed.</summary>
    public required IReadOnlyList<string> Removable { get; init; }

    /// <summary>Abandoned objects that stay, each with its reason.</summary>
    public required IReadOnlyList<SkippedObject> Kept { get; init; }

    /// <summary>
    /// Uploads in parts that a worker had left unfinished; with fix they were ended and their parts freed, without it they are not looked
    /// for.
    /// </summary>
    public required int AbortedUploads { get; init; }

    /// <summary>Whether something is left that a person should look at; what was fixed is not.</summary>
    public bool NeedsAttention =>
        Fixed
            ? Missing.Count + Hidden.Count + Returned.Count + Copies.Count + Elsewhere.Count + Foreign.Count + Unreadable.Count > 0
                || Orphans.Values.Any(n => n > 0)
            : !IsClean;

    /// <summary>Whether bucket, ledger and rows agree.</summary>
    public bool IsClean =>
        Unrecorded.Count
            + Foreign.Count
            + Unreadable.Count
            + Missing.Count
            + Hidden.Count
            + Returned.Count
            + Copies.Count
            + Elsewhere.Count
            + LiveAndArchived.Count
            + DeletedSince.Count
            == 0
        && Orphans.Values.All(n => n == 0);
}

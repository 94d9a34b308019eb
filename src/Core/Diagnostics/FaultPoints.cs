namespace Archiver.Core.Diagnostics;

/// <summary>
/// Names of all fault points, one after each step that changes something outside the process. The proof tests enumerate them and kill the
/// worker at every one; one that no scenario reaches fails them. The word before the dot names the scenario.
/// </summary>
internal static class FaultPoints
{
    public const string RunRecorded = "run.recorded";
    public const string RunEnding = "run.ending";
    public const string RunEnded = "run.ended";

    public const string Selected = "archive.selected";
    public const string Exported = "archive.exported";
    public const string PendingRecorded = "archive.pending-recorded";

    /// <summary>After each object, so that a crash finds a batch half uploaded.</summary>
    public const string ObjectStored = "archive.object-stored";
    public const string Uploaded = "archive.uploaded";
    public const string Verified = "archive.verified";
    public const string SessionsLocked = "archive.sessions-locked";
    public const string RowsDeleted = "archive.rows-deleted";
    public const string DeleteRecorded = "archive.delete-recorded";

    /// <summary>The lease was checked, the commit is next.</summary>
    public const string DeleteReady = "archive.delete-ready";
    public const string DeleteCommitted = "archive.delete-committed";
    public const string ManifestWritten = "archive.manifest-written";

    /// <summary>The session rows are marked, the ledger does not say so yet.</summary>
    public const string Marked = "delay.marked";
    public const string StoredRecorded = "delay.stored-recorded";

    /// <summary>Of sessions that an earlier run stored: due, and verified again.</summary>
    public const string DelayedSelected = "delay.selected";
    public const string Reverified = "delay.reverified";
    public const string DelayedSuperseded = "delay.superseded";
    public const string DelayedCommitted = "delay.committed";

    /// <summary>After each part of a large object, and before the parts become the object.</summary>
    public const string PartStored = "part.stored";
    public const string PartsStored = "part.all-stored";

    /// <summary>
    /// Of a run that stores nothing: its batch is selected; is changed and committed; is also out of the list of failures.
    /// </summary>
    public const string ChangeSelected = "change.selected";
    public const string ChangeCommitted = "change.committed";
    public const string ChangeCounted = "change.counted";

    /// <summary>The sessions are locked, their other rows are not; whether they are still to go was not asked yet.</summary>
    public const string PurgeSessionsLocked = "purge.sessions-locked";
    public const string PurgeLocked = "purge.locked";
    public const string PurgeDeleted = "purge.deleted";

    /// <summary>No copy stands for rows that are gone; the audit does not say that they are.</summary>
    public const string PurgeSuperseded = "purge.superseded";
    public const string PurgeRecorded = "purge.recorded";

    public const string ExpireLocked = "expire.locked";
    public const string ExpireUpdated = "expire.updated";
    public const string ExpireRecorded = "expire.recorded";

    public const string RestoreRecorded = "restore.recorded";
    public const string RestoreStaged = "restore.staged";
    public const string RestoreInserted = "restore.inserted";
    public const string RestoreMarked = "restore.marked";
    public const string RestoreReady = "restore.ready";
    public const string RestoreCommitted = "restore.committed";
    public const string RestoreEnding = "restore.ending";

    /// <summary>The archived rows are where the live ones were deleted, in a transaction that is not committed.</summary>
    public const string ReplaceInserted = "replace.inserted";

    public const string DiscardAnnounced = "discard.announced";

    /// <summary>The ledger says that objects are being destroyed; all are still there.</summary>
    public const string DiscardBegun = "discard.begun";

    /// <summary>The objects are gone, the ledger does not say so yet.</summary>
    public const string DiscardRemoved = "discard.removed";
    public const string DiscardRecorded = "discard.recorded";

    /// <summary>The tombstones are in the bucket, the ledger does not know them yet.</summary>
    public const string EraseBuried = "erase.buried";
    public const string EraseTextErased = "erase.text-erased";
    public const string EraseRowsLocked = "erase.rows-locked";
    public const string EraseRowsDeleted = "erase.rows-deleted";
    public const string EraseRowsCommitted = "erase.rows-committed";
    public const string EraseBundlePending = "erase.bundle-pending";
    public const string EraseBundleStored = "erase.bundle-stored";

    /// <summary>The ledger points to the new bundle, the old one is still there.</summary>
    public const string EraseBundlePointed = "erase.bundle-pointed";
    public const string EraseManifestsWritten = "erase.manifests-written";
    public const string EraseObjectsRemoved = "erase.objects-removed";
    public const string EraseObjectsRecorded = "erase.objects-recorded";
}

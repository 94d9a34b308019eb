using Archiver.Core.Diagnostics;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Ledger;

/// <summary>A session that left its batch on the way; it stays live and whole in the database.</summary>
/// <param name="Key">The session key as text.</param>
/// <param name="Reason">One of <see cref="DropReason"/>, for logs, counts and the ledger.</param>
/// <param name="Failed">
/// True when something is wrong with it, so that it counts towards quarantine; false when it merely changed or is in use.
/// </param>
internal sealed record DroppedSession(string Key, string Reason, bool Failed)
{
    /// <summary>
    /// Whether it stays for something of its own, and so perhaps in every run: nothing was done, and it takes none of <c>MaxSessions</c>
    /// from those behind it. What failed waits for its next attempt. What somebody has locked or changed is free again soon, and no reason
    /// to go through a whole backlog.
    /// </summary>
    public bool StaysOfItself => !Failed && Reason is not (DropReason.Locked or DropReason.TableChanged or DropReason.HoldInFlight);
}

/// <summary>Why sessions leave a batch. Stable: they are counted in the ledger, in logs and in metrics.</summary>
internal static class DropReason
{
    public const string Gone = "deleted meanwhile";
    public const string NoLongerEligible = "active again";
    public const string Changed = "changed after export";
    public const string TableChanged = "table changed after export";
    public const string Locked = "locked by another transaction";
    public const string Referenced = "referenced by another session";
    public const string NoMessages = "no message can go";
    public const string Unreadable = "unreadable";
    public const string TooSlow = "delete timed out";
    public const string Refused = "refused by the store";
    public const string Missing = "object missing";
    public const string Corrupt = "object differs";
    public const string NotDeleted = "delete refused";
    public const string SideEffects = "delete would change other rows";
    public const string TrialFailed = "trial restore differs";
    public const string Held = "held";
    public const string NoRoom = "no room for its document in the folder for temporary files";
    public const string NotReplaced = "archived rows have no place";
    public const string HoldInFlight = "a hold is being added";
    public const string Erased = "its id or user was erased after it began";
    public const string NotUpdated = "update refused";

    /// <summary>Why the store did not take a single session's object: the status alone, since a proxy's text may be anything.</summary>
    public static string OfUpload(ObjectRefusedException refusal) => $"{Refused} ({refusal.Code})";

    /// <summary>Why the server did not let a single session go: its code alone, since its text may quote a row.</summary>
    public static string OfDelete(PostgresException exception) =>
        exception.IsStatementTimeout() ? TooSlow : $"{NotDeleted} ({exception.SqlState})";
}

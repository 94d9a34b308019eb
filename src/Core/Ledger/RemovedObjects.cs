namespace Archiver.Core.Ledger;

/// <summary>How the ledger marks an abandoned object that reconcile has removed: its state stays, and its reason says so.</summary>
internal static class RemovedObjects
{
    /// <summary>SQL of that reason.</summary>
    public const string Reason = "'removed by reconcile'";

    /// <summary>SQL that is true of object <c>o</c> unless reconcile has removed it.</summary>
    public const string IsNot = $"o.reason IS DISTINCT FROM {Reason}";

    /// <summary>SQL that is true of object <c>o</c> if it was destroyed, by a discard or by reconcile.</summary>
    public const string IsGone = $"(o.state = 'discarded' OR o.state = 'abandoned' AND o.reason IS NOT DISTINCT FROM {Reason})";
}

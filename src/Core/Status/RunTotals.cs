namespace Archiver.Core.Status;

/// <summary>
/// All runs of one policy with one action, summed up. From the ledger, so the numbers only grow and know of every worker.
/// </summary>
/// <param name="Runs">Runs that ended, by state.</param>
/// <param name="Reasons">Skipped and failed sessions by reason.</param>
internal sealed record RunTotals(
    string Policy,
    string Action,
    IReadOnlyDictionary<string, long> Runs,
    long Done,
    long Skipped,
    long Failed,
    long Rows,
    long JsonBytes,
    long StoredBytes,
    IReadOnlyDictionary<string, long> Reasons
);

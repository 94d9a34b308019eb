namespace Archiver.Core.Ledger;

/// <summary>What one commit adds to its run's counts.</summary>
/// <param name="Sessions">Sessions that are through: archived, purged, expired.</param>
/// <param name="Rows">Rows deleted.</param>
/// <param name="JsonBytes">Bytes of their JSON.</param>
/// <param name="StoredBytes">Bytes of it in the store.</param>
internal sealed record RunCounts(long Sessions, long Rows, long JsonBytes = 0, long StoredBytes = 0);

namespace Archiver.Core.Status;

/// <summary>What the runs that began on one day (UTC) did.</summary>
/// <param name="Archived">Sessions archived, purged or expired.</param>
/// <param name="Restored">Sessions put back.</param>
/// <param name="Failed">Sessions that failed.</param>
internal sealed record DayOfRuns(DateOnly Day, long Archived, long Restored, long Failed, long Rows, long JsonBytes, long StoredBytes);

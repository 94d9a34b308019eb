namespace Archiver.Core.Settings;

/// <summary>
/// The instants before which a policy's conditions are met. Read from the database's clock once per run and carried along:
/// a worker whose clock is wrong, or a run that crosses midnight, must not archive early or skip a session between two batches.
/// </summary>
/// <param name="Now">The database's clock when the run began.</param>
internal sealed record Cutoffs(DateTimeOffset Now)
{
    /// <summary>The instant that lies <paramref name="age"/> back, at the earliest the calendar's first day.</summary>
    public DateTimeOffset Before(TimeSpan age) => age > Now - DateTimeOffset.MinValue ? DateTimeOffset.MinValue : Now - age;
}

namespace Archiver.Worker.Tests;

/// <summary>Ids of events in the log of a worker with a common schedule.</summary>
internal static class ClusterEvents
{
    internal const int LockedElsewhere = 1003,
        Scheduled = 6003;
}

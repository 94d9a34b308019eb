using Archiver.Testing;

namespace Archiver.Integration.Tests.Lifecycle;

/// <summary>Ends processes of the server that serve an archiver, as an administrator or a broken network would.</summary>
internal static class EndedProcesses
{
    /// <summary>Those that hold the lock on a source: the archiver goes on, and its source may be another one's by then.</summary>
    public const string OfLocks =
        "EXISTS (SELECT FROM pg_locks AS l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.mode = 'ExclusiveLock')";

    /// <param name="archiver">Whose.</param>
    /// <param name="which">A condition on <c>pg_stat_activity</c>, alias <c>a</c>.</param>
    public static Task EndProcessesAsync(this ArchiverFixture archiver, string which = "true") =>
        archiver.ExecuteAsync(
            "SELECT pg_terminate_backend(a.pid, 5000) FROM pg_stat_activity AS a WHERE a.datname = current_database() AND "
                + $"a.application_name = 'archiver' AND {which}",
            null
        );
}

namespace Archiver.Core.Ledger;

/// <summary>A session that failed, as listed.</summary>
/// <param name="Source">Name of the source.</param>
/// <param name="SessionId">The session key as text.</param>
/// <param name="Reason">The last run's reason.</param>
/// <param name="Attempts">Runs that failed on it.</param>
/// <param name="FirstFailedAt">ISO, UTC.</param>
/// <param name="LastFailedAt">ISO, UTC.</param>
/// <param name="NextAttemptAt">Before which no run tries it; null once it is set aside.</param>
/// <param name="Quarantined">Set aside: no run tries it until a person says so.</param>
internal sealed record FailedSession(
    string Source,
    string SessionId,
    string Reason,
    int Attempts,
    string FirstFailedAt,
    string LastFailedAt,
    string? NextAttemptAt,
    bool Quarantined
);

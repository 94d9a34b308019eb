using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Verification;

namespace Archiver.Core.Deletion;

/// <summary>Locks verified sessions and keeps those that are still as they were exported.</summary>
internal static class VerifiedLocks
{
    /// <summary>The sessions to go on with; the others are in the locks' list of dropped ones.</summary>
    public static async Task<IReadOnlyList<VerifiedSession>> LockAsync(
        SessionLocks locks,
        DeleteStatements statements,
        IReadOnlyList<VerifiedSession> sessions,
        CancellationToken cancellationToken
    )
    {
        var versions = await locks.LockSessionsAsync([.. sessions.Select(s => s.Key)], cancellationToken);
        sessions = [.. sessions.Where(s => versions.ContainsKey(s.Key))];
        // The row of a session that stays may have changed since its messages were exported; the policy is asked again, for now it cannot
        // any more.
        if (sessions.Any(s => s.Session.Versions is not null))
        {
            var eligible = await locks.StillEligibleAsync([.. versions.Keys], cancellationToken);
            return await LockRowsAsync(locks, statements, sessions.IntersectBy(eligible, s => s.Key), cancellationToken);
        }
        sessions = Keep(locks, sessions, s => s.Session.Fingerprints["session"] == default(Fingerprint).Add(versions[s.Key]));
        return await locks.StillTakenAsync(await LockRowsAsync(locks, statements, sessions, cancellationToken), cancellationToken);
    }

    private static async Task<IReadOnlyList<VerifiedSession>> LockRowsAsync(
        SessionLocks locks,
        DeleteStatements statements,
        IEnumerable<VerifiedSession> locking,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<VerifiedSession> sessions = [.. locking];
        foreach (var parent in statements.Parents)
        {
            var locked = await locks.LockRowsAsync(parent, sessions.Select(s => s.Key), cancellationToken);
            sessions = Keep(locks, sessions, s => locked.GetValueOrDefault(s.Key) == s.Session.Fingerprints[parent.Name]);
        }
        return sessions;
    }

    private static List<VerifiedSession> Keep(SessionLocks locks, IReadOnlyList<VerifiedSession> sessions, Func<VerifiedSession, bool> keep)
    {
        locks.Drop(sessions.Where(s => !keep(s)).Select(s => s.Key), DropReason.Changed);
        return [.. sessions.Where(keep)];
    }
}

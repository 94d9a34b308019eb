using Archiver.Core.Export;
using Archiver.Core.Ledger;
using Archiver.Core.Verification;

namespace Archiver.Core.Deletion;

/// <summary>Locks verified sessions and keeps those that are still as they were exported.</summary>
internal static class VerifiedLocks
{
    /// <summary>The sessions to go on with; the others are in the locks' list of dropped ones.</summary>
    public static async Task<IReadOnlyList<VerifiedSession>> LockAsync(
        SessionLocks locks, DeleteStatements statements, IReadOnlyList<VerifiedSession> sessions, CancellationToken cancellationToken)
    {
        var versions = await locks.LockSessionsAsync([.. sessions.Select(s => s.Key)], cancellationToken);
        sessions = [.. sessions.Where(s => versions.ContainsKey(s.Key))];
        sessions = Keep(locks, sessions, s => s.Session.Fingerprints["session"] == default(Fingerprint).Add(versions[s.Key]));
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

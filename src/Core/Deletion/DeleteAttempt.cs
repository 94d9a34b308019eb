namespace Archiver.Core.Deletion;

/// <summary>How one try at a set of sessions ended.</summary>
internal abstract record DeleteAttempt
{
    public sealed record Done : DeleteAttempt;

    /// <summary>A trigger changed a session of the set before its turn; the other order spares it that.</summary>
    public sealed record Again : DeleteAttempt;

    /// <summary>These sessions are not as they were exported, or are in use; the others may be tried again.</summary>
    public sealed record Differs(HashSet<string> Keys, string Reason) : DeleteAttempt;

    /// <summary>A lock did not come in time; which session it was is not known yet.</summary>
    public sealed record LockTimeout : DeleteAttempt;

    /// <summary>Some session of the set is refused; halving finds it.</summary>
    public sealed record Refused(string Reason, bool Failed) : DeleteAttempt;
}

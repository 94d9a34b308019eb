namespace Archiver.Core.Diagnostics;

/// <summary>How a failure ends a command; the values are the exit codes of the command line.</summary>
public enum FailureKind
{
    /// <summary>Something did not work: a server, a credential, a verification.</summary>
    Failed = 1,

    /// <summary>Wrong usage or configuration; nothing was tried.</summary>
    Configuration = 2,

    /// <summary>A safety check said no, or another worker holds the lock.</summary>
    Refused = 3,
}

/// <summary>
/// An error with one clear message for a person: what is wrong, where, and what to do. It never holds message text or secrets.
/// </summary>
public sealed class ArchiverException(FailureKind kind, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>How it ends a command.</summary>
    public FailureKind Kind { get; } = kind;
}

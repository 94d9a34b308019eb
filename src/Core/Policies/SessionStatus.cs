namespace Archiver.Core.Policies;

/// <summary>Values that the archiver writes to a mapped status column.</summary>
internal static class SessionStatus
{
    public const string Expired = "expired";

    /// <summary>Stored, and the rows stay.</summary>
    public const string Archived = "archived";
}

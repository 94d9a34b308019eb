namespace Archiver.Core.Settings;

/// <summary>What happens to the sessions a policy selects.</summary>
public enum PolicyAction
{
    /// <summary>Export, verify, record, delete.</summary>
    Archive,

    /// <summary>Delete without export.</summary>
    Purge,

    /// <summary>Set status <c>expired</c>.</summary>
    Expire,
}

/// <summary>What a purge or an archive run takes.</summary>
public enum PurgeScope
{
    /// <summary>Whole sessions.</summary>
    Sessions,

    /// <summary>Rows of sessions that stay: soft-deleted ones for a purge, old messages for an archive run.</summary>
    Messages,
}

/// <summary>What an archive run deletes.</summary>
public enum DeleteMode
{
    /// <summary>The session with all its rows.</summary>
    Session,

    /// <summary>Nothing: store only.</summary>
    Nothing,
}

/// <summary>Which sessions of a source, and what happens to them; validated. All conditions are ANDed.</summary>
public sealed record Policy
{
    public required string Source { get; init; }

    public required string Name { get; init; }

    public required PolicyAction Action { get; init; }

    /// <summary>Every activity column and every child's time is older than this.</summary>
    public TimeSpan? IdleFor { get; init; }

    public TimeSpan? EndedFor { get; init; }

    public TimeSpan? DeletedFor { get; init; }

    public TimeSpan? ExpiredFor { get; init; }

    /// <summary>
    /// With scope Messages of Archive: messages older than this by their Time; null where <see cref="KeepLast"/> alone decides.
    /// </summary>
    public TimeSpan? MessagesOlderThan { get; init; }

    /// <summary>With scope Messages of Archive: so many of the newest messages of each session stay.</summary>
    public int? KeepLast { get; init; }

    /// <summary>Only sessions in one of these statuses; empty for all.</summary>
    public IReadOnlyList<string> Status { get; init; } = [];

    /// <summary>Extra SQL condition on the session row, alias <c>s</c>.</summary>
    public string? Where { get; init; }

    public PurgeScope Scope { get; init; } = PurgeScope.Sessions;

    public DeleteMode Delete { get; init; } = DeleteMode.Session;

    public TimeSpan DeleteAfter { get; init; } = TimeSpan.Zero;

    public TimeSpan RestoreGrace { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Quartz cron expression.</summary>
    public string Cron { get; init; } = "0 0 2 * * ?";

    public int Order { get; init; }

    public int? MaxSessions { get; init; }

    public TimeSpan? MaxDuration { get; init; }

    public bool DryRun { get; init; }

    public bool Paused { get; init; }

    /// <summary>Sessions whose stored copies give way to the version that is live now; only a restore that makes room has any.</summary>
    internal IReadOnlyList<string> Replaces { get; init; } = [];

    /// <summary>Archives parts: old messages of sessions that live on.</summary>
    public bool TakesParts => Action == PolicyAction.Archive && Scope == PurgeScope.Messages;

    /// <summary>
    /// A run stores sessions and marks them, and their rows stay, for good or until <see cref="DeleteAfter"/> has passed.
    /// </summary>
    public bool RowsStay => Delete == DeleteMode.Nothing || DeleteAfter > TimeSpan.Zero;

    /// <summary><c>source/policy</c>, as people name it.</summary>
    public string FullName => $"{Source}/{Name}";
}

namespace Archiver.Core.Holds;

/// <summary>A hold that somebody asks for: a session, a user, or a range of time.</summary>
internal sealed record HoldRequest
{
    /// <summary>Session key or external id.</summary>
    public string? Session { get; init; }

    public string? User { get; init; }

    /// <summary>Sessions active at or after this.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Sessions begun before this.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Why, such as the number of a case.</summary>
    public required string Reason { get; init; }
}

/// <summary>A hold as the ledger has it. Times are ISO 8601, UTC.</summary>
internal sealed record ListedHold(
    string Source,
    long Id,
    string? SessionId,
    string? UserId,
    string? From,
    string? To,
    string Reason,
    string CreatedBy,
    string CreatedAt,
    string? RemovedBy,
    string? RemovedAt
)
{
    /// <summary>Why it covers less than it seems to; null where it does not.</summary>
    public string? Note { get; init; }
}

/// <summary>What a hold covers at the moment.</summary>
/// <param name="Sessions">Sessions in the application's tables.</param>
/// <param name="Archives">Archives in the ledger that are in the store.</param>
internal sealed record HoldCoverage(long Sessions, long Archives);

using Archiver.Core.Settings;

namespace Archiver.Core.Status;

/// <summary>What is left to do for one policy, and how its runs went.</summary>
internal sealed record PolicyStatus
{
    public required string Name { get; init; }

    public required PolicyAction Action { get; init; }

    /// <summary>Sessions that the policy takes now; null when they could not be counted, and <see cref="Problem"/> says why.</summary>
    public long? Eligible { get; init; }

    /// <summary>About the bytes of those sessions: the average of the first ones times their number.</summary>
    public long? EligibleBytes { get; init; }

    /// <summary>For how long the one that waits longest has been eligible; 0 without any.</summary>
    public double? SecondsPastCutOff { get; init; }

    /// <summary>The next run would stop at the trip wire until a person accepts the policy.</summary>
    public bool TripWire { get; init; }

    /// <summary>By the configuration or by <c>archiver pause</c>, also of a policy that is configured no more.</summary>
    public required bool Paused { get; init; }

    public required RecordedRun? LastRun { get; init; }

    /// <summary>End of its last run that was done, of all shards the oldest.</summary>
    public required DateTimeOffset? LastSuccess { get; init; }

    /// <summary>The same, or when the ledger was made; null where it only makes dry runs.</summary>
    public required DateTimeOffset? NoSuccessSince { get; init; }

    public string? Problem { get; init; }
}

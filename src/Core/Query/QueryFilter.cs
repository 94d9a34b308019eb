namespace Archiver.Core.Query;

/// <summary>Which archives of one source a question is about; null means any.</summary>
/// <param name="Source">Name of the source.</param>
internal sealed record QueryFilter(string Source)
{
    /// <summary>User, however it is written.</summary>
    public string? User { get; init; }

    /// <summary>Session key, however it is written, or external id.</summary>
    public string? Session { get; init; }

    /// <summary>Last activity not before.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Last activity before.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Policy that archived it.</summary>
    public string? Policy { get; init; }

    /// <summary>Also what a later archive of the session, or a change of its rows, has superseded.</summary>
    public bool AllGenerations { get; init; }

    /// <summary>What the question's own SQL says of the ledger's columns.</summary>
    public LedgerCondition Condition { get; init; } = LedgerCondition.None;
}

namespace Archiver.Core.Import;

/// <summary>What became of a session in a committed import.</summary>
internal enum ImportOutcome
{
    Restored,

    /// <summary>Its rows were there, equal to the document's.</summary>
    AlreadyThere,

    /// <summary>Other rows were there; nothing of it was written.</summary>
    Conflicting,

    /// <summary>Nothing of it was written.</summary>
    Refused,
}

/// <summary>A session after its import.</summary>
/// <param name="Reason">Why nothing of it was written; else null.</param>
internal sealed record ImportedSession(StagedSession Session, ImportOutcome Outcome, string? Reason = null)
{
    /// <summary>Rows of the session that were there without its session row and are no part of the document.</summary>
    public IReadOnlyList<RowsBeside> Beside { get; init; } = [];
}

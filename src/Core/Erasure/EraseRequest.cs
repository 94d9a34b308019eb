namespace Archiver.Core.Erasure;

/// <summary>
/// What is to be erased: sessions by id, or a user with every session; or everything that was erased before and is here again.
/// </summary>
internal sealed record EraseRequest
{
    /// <summary>Session keys or external ids.</summary>
    public IReadOnlyList<string> Ids { get; init; } = [];

    /// <summary>As the user column writes it.</summary>
    public string? User { get; init; }

    /// <summary>
    /// Applies the tombstones of the bucket to this database: after it was restored to an earlier time, or an erasure was interrupted.
    /// </summary>
    public bool Reapply { get; init; }

    /// <summary>For the audit, such as the number of the request. No id of a person: the audit outlives the erasure.</summary>
    public string? Reason { get; init; }
}

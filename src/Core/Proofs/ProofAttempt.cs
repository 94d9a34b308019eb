namespace Archiver.Core.Proofs;

/// <summary>A scheduled proof that has begun, as the ledger notes it.</summary>
/// <param name="BeganAt">By the database's clock.</param>
/// <param name="TriedBefore">When it was tried before; null for the first time.</param>
/// <param name="ErrorBefore">Why that did not come to its end.</param>
internal sealed record ProofAttempt(DateTimeOffset BeganAt, DateTimeOffset? TriedBefore, string? ErrorBefore)
{
    /// <summary>What the ledger says until it ends, and goes on to say where its worker dies in it.</summary>
    public const string NotEnded = "it began and has not come to its end: it goes on, or its worker died in it";
}

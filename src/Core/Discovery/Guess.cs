namespace Archiver.Core.Discovery;

/// <summary>What a database is taken for.</summary>
/// <param name="Best">The proposal; null where there is none.</param>
/// <param name="Candidates">Tables that may hold the sessions, the best first; empty where a known application was recognised.</param>
/// <param name="Why">Why there is no proposal.</param>
internal sealed record Guess(Proposal? Best, IReadOnlyList<SessionCandidate> Candidates, string? Why)
{
    /// <summary>By how much the best must be ahead of the next, or nobody should take it unasked.</summary>
    private const double Ahead = 1.25;

    /// <summary>Another table may hold the sessions as well.</summary>
    public bool IsAmbiguous => Candidates is [_, var second, ..] && IsNear(second);

    /// <summary>Whether nearly as much speaks for this one as for the best.</summary>
    public bool IsNear(SessionCandidate candidate) => Candidates[0].Points < Ahead * candidate.Points;
}

namespace Archiver.Core.Proofs;

/// <summary>What a proof that came to its end found.</summary>
/// <param name="Checked">Archives read, restores rehearsed, or objects compared.</param>
/// <param name="Found">Counts by kind of finding; kinds without any are zero, so that a metric goes back to it.</param>
/// <param name="Position">Archives up to this id were read in this walk; 0 when it came round.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record ProofResult(long Checked, IReadOnlyDictionary<string, long> Found, long Position, double Seconds)
{
    public bool IsClean => Found.Values.All(n => n == 0);
}

using Archiver.Core.Reconciliation;

namespace Archiver.Worker.Output;

/// <summary>A move as <c>ledger move --json</c> prints it.</summary>
internal sealed record MoveJson(
    string Source,
    string? From,
    string To,
    long Verified,
    long Bytes,
    bool Applied,
    IReadOnlyList<SkippedObject> Problems,
    IReadOnlyList<string> LeftBehind,
    IReadOnlyDictionary<string, long> Elsewhere
)
{
    public static MoveJson Of(string source, MoveReport r) =>
        new(source, r.From, r.To, r.Verified, r.Bytes, r.Applied, r.Problems, r.LeftBehind, r.Elsewhere);
}

using System.Globalization;
using Archiver.Core.Proofs;
using Archiver.Core.Status;

namespace Archiver.Worker.Output;

/// <summary>Scheduled proofs and what they found, for a person.</summary>
internal static class ProofText
{
    /// <summary>Damaged archives that a warning names.</summary>
    private const int Named = 5;

    /// <summary><c>2 missing, 1 changed</c>.</summary>
    public static string Found(ProofStatus proof) =>
        proof.DoneAt is null ? "-"
        : Words(proof.Found) is { Length: > 0 } found ? found
        : "nothing wrong";

    /// <summary>How far the proof has come through the whole archive.</summary>
    public static string Walk(ProofStatus proof, SourceStatus status)
    {
        if (proof.Proof == Proof.Reconcile.Name())
            return "-";
        var last = proof is { WalkedFrom: { } from, WalkedAt: { } to } ? $"read from {Day(from)} to {Day(to)}" : null;
        var all = status.Archives.Values.Sum();
        var now =
            proof.WalkBeganAt is { } began && all > 0
                ? string.Create(CultureInfo.InvariantCulture, $"{Math.Min(100, proof.WalkChecked * 100 / all)} % since {Day(began)}")
                : null;
        return string.Join("; ", new[] { last, now }.Where(t => t is not null).DefaultIfEmpty("-"));
    }

    /// <summary>What of it a person should look at, each with what to do.</summary>
    public static IEnumerable<string> Warnings(SourceStatus status)
    {
        if (Words(status.Damaged) is { Length: > 0 } damaged)
        {
            var names = string.Join(
                ", ",
                status
                    .DamagedArchives.Take(Named)
                    .Select(d => string.Create(CultureInfo.InvariantCulture, $"{d.SessionId} generation {d.Generation} ({d.Problem})"))
            );
            yield return $"Archives that were not right when they were last read: {damaged}: "
                + $"{names}{(status.Damaged.Values.Sum() > Named ? ", ..." : "")}. See docs/operations.md; when the bucket is mended: "
                + $"archiver verify --all";
        }
        foreach (var proof in status.Proofs)
        {
            if (proof is { State: "skipped" or "failed" })
                yield return $"Scheduled {proof.Proof} was {(proof.State == "failed" ? "not done" : "skipped")}: {proof.Error}";
            else if (proof is { Error: { } notEnded, TriedAt: { } began })
                yield return $"Scheduled {proof.Proof}, last begun at {Time(began)}: {notEnded}";
            if (proof.Proof == Proof.Reconcile.Name() && Words(proof.Found) is { Length: > 0 } found)
                yield return $"Scheduled reconcile found {found}. See: archiver reconcile";
        }
    }

    private static string Words(IReadOnlyDictionary<string, long> counts) =>
        string.Join(
            ", ",
            counts.Where(c => c.Value > 0).Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Value} {c.Key.Replace('_', ' ')}"))
        );

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    private static string Day(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}

using System.Text.Json;
using Archiver.Core.Settings;

namespace Archiver.Core.Proofs;

/// <summary>
/// What the worker does on a schedule so that nobody has to wonder whether the archive is still there. Nothing is deleted or fixed.
/// </summary>
internal enum Proof
{
    /// <summary><c>archiver verify</c> of a part of the archive.</summary>
    Verify,

    /// <summary><c>archiver verify --restore-drill</c> of a part of the archive.</summary>
    RestoreDrill,

    /// <summary><c>archiver reconcile</c> without <c>--fix</c>.</summary>
    Reconcile,
}

/// <summary>Names of proofs, the same in ledger, logs, metrics and JSON.</summary>
internal static class ProofNames
{
    public static string Name(this Proof proof) => JsonNamingPolicy.SnakeCaseLower.ConvertName(proof.ToString());

    /// <summary>When it is done; null: not at all.</summary>
    public static string? CronOf(this ScheduleSettings schedule, Proof proof) =>
        proof switch
        {
            Proof.Verify => schedule.Verify,
            Proof.RestoreDrill => schedule.RestoreDrill,
            Proof.Reconcile => schedule.Reconcile,
            _ => throw new ArgumentOutOfRangeException(nameof(proof), proof, "No such proof."),
        };

    public static Proof Parse(string name) => Enum.GetValues<Proof>().Single(p => p.Name() == name);
}

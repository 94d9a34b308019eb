using Archiver.Core.Diagnostics;
using Archiver.Core.Erasure;

namespace Archiver.Worker.Output;

/// <summary>A receipt of an erasure in words.</summary>
internal static class ReceiptText
{
    public static void Write(EraseReceipt receipt, Terminal terminal)
    {
        if (receipt.Outcome is RunOutcome.Paused or RunOutcome.LockedElsewhere)
        {
            terminal.WriteLine($"{receipt.Source}: nothing erased: {receipt.Error}");
            return;
        }
        // Refused before it began: a receipt of nothing would look like one of something.
        if (receipt is { Plan: false, Error: { } refused } && receipt.RunId == Guid.Empty)
        {
            terminal.Fail(refused);
            return;
        }
        var erased = receipt.Sessions.Count(s => s.State == ErasedSession.Erased);
        terminal.WriteLine(
            $"{receipt.Source}: {(receipt.Plan ? "would erase" : "erased")} {Amount.Of(erased, "session")} at "
                + $"{receipt.At}{(receipt.Plan ? "" : $", run {receipt.RunId}")}"
        );
        terminal.WriteLine(
            $"{receipt.Source}: {Amount.Of(receipt.Rows, "row")}, {Amount.Of(receipt.Archives, "archive")}, "
                + $"{Amount.Of(receipt.Objects, "object")}, {Amount.Of(receipt.Bundles, "bundle")} written again, "
                + $"{Amount.Of(receipt.Manifests, "manifest")}"
        );
        foreach (var session in receipt.Sessions)
        {
            var state = receipt.Plan && session.State == ErasedSession.Erased ? "would be erased" : session.State;
            var reasons = session.Reasons.Count == 0 ? "" : $": {string.Join("; ", session.Reasons)}";
            terminal.WriteLine($"{receipt.Source}: {session.SessionId} {state}{reasons}");
        }
        foreach (var id in receipt.ErasedBefore)
            terminal.WriteLine($"{receipt.Source}: {id} was erased before; nothing of it is left");
        foreach (var id in receipt.Unknown)
            terminal.WriteLine($"{receipt.Source}: {id} is not known, in the table, the ledger or the bucket");
        foreach (var open in receipt.Unresolved)
            terminal.WriteLine($"{receipt.Source}: not erased: {open}");
        if (!receipt.Plan)
            terminal.WriteLine($"{receipt.Source}: {Verdict(receipt)}");
        if (receipt.Error is { } error)
            terminal.Fail(error);
    }

    private static string Verdict(EraseReceipt receipt) =>
        receipt switch
        {
            { Complete: true } => "complete: nothing of it is left in this database and bucket; backups of both end by their own age",
            { NoMatch: true } => "nothing was found, so nothing was erased",
            _ => "NOT COMPLETE: run it again when what is named above is lifted",
        };
}

using Archiver.Core.Reconciliation;

namespace Archiver.Worker.Output;

/// <summary>What reconciliation found, for a person: a count a finding, then what it is about.</summary>
internal static class ReconcileText
{
    /// <summary>Names printed of one finding; <c>--json</c> has all.</summary>
    private const int Most = 20;

    public static void Write(string source, ReconcileReport report, Terminal terminal)
    {
        var findings = Findings(report).Where(f => f.Names.Count > 0).ToList();
        var orphans = report.Orphans.Where(o => o.Value > 0).ToList();
        if (findings.Count == 0 && orphans.Count == 0 && report.AbortedUploads == 0 && report.Elsewhere.Count == 0)
        {
            terminal.WriteLine($"{source}: bucket, ledger and rows agree");
            WriteLimitation(report, terminal);
            return;
        }
        terminal.WriteLine($"{source}: {(report.Fixed ? "reconciled" : "found, nothing was changed")}");
        foreach (var (names, one, what) in findings)
        {
            terminal.WriteLine($"  {Amount.Of(names.Count, one)} {what}");
            foreach (var name in names.Take(Most))
                terminal.WriteLine($"    {name}");
            if (names.Count > Most)
                terminal.WriteLine($"    and {Amount.Of(names.Count - Most, $"more {one}")}, see --json");
        }
        if (report.AbortedUploads > 0)
            terminal.WriteLine($"  {Amount.Of(report.AbortedUploads, "upload")} that a worker had left unfinished: ended");
        foreach (var (place, count) in report.Elsewhere)
            terminal.WriteLine(
                $"  {Amount.Of(count, "object")} of the ledger not looked at, in {place}; if the bucket or prefix was moved "
                    + "here: archiver ledger move"
            );
        foreach (var (table, rows) in orphans)
            terminal.WriteLine(
                $"  {Amount.Of(rows, "row")} of '{table}' without a parent; written after its session was archived, or "
                    + "before there was a foreign key"
            );
        WriteLimitation(report, terminal);
    }

    /// <summary>What a person should do.</summary>
    public static string WhatIsLeft(ReconcileReport report) =>
        report.Fixed
            ? "something is left that only a person can settle; what each finding above means: docs/operations.md"
            : "something is left to settle. What says 'with --fix' is settled by: archiver reconcile --fix --yes; what each finding means: "
                + "docs/operations.md";

    private static void WriteLimitation(ReconcileReport report, Terminal terminal)
    {
        if (report.Limitation is { } limitation)
            terminal.WriteLine($"  {limitation}");
    }

    private static IEnumerable<(IReadOnlyList<string> Names, string One, string What)> Findings(ReconcileReport report)
    {
        var (done, todo) = (report.Fixed, "with --fix: ");
        yield return (
            report.Missing,
            "object",
            "in the ledger and in no version in the bucket: only a backup of the bucket brings them back"
        );
        yield return (Describe(report.Hidden), "object", "in the ledger and hidden in the bucket, replaced or renamed; left alone");
        yield return (report.Returned, "object", "in the bucket again that the ledger has as discarded or removed; left alone");
        yield return (
            Describe(report.Copies),
            "object",
            "the same as objects that the ledger has elsewhere: the bucket or prefix was "
                + "moved or copied; neither adopted nor removed. After a move: archiver ledger move"
        );
        yield return (Describe(report.Unreadable), "object", "unreadable, in no ledger row; left alone");
        yield return (Describe(report.Foreign), "object", "of others; left alone");
        yield return (
            report.Unrecorded,
            "object",
            done ? "adopted: the ledger had no row of them" : $"without a ledger row; {todo}adopted"
        );
        yield return (
            report.LiveAndArchived,
            "session",
            done ? "live and archived: now restored in the ledger" : $"live and archived; {todo}restored in the ledger"
        );
        yield return (
            report.DeletedSince,
            "session",
            done
                ? "restored or stored, and deleted by the application since: now superseded in the ledger"
                : $"restored or stored, and deleted by the application since; {todo}superseded in the ledger"
        );
        yield return (
            report.Removable,
            "object",
            done ? "abandoned and superfluous: removed" : $"abandoned and superfluous; {todo}removed"
        );
        yield return (Describe(report.Kept), "object", "abandoned, and kept");
    }

    private static IReadOnlyList<string> Describe(IReadOnlyList<SkippedObject> skipped) => [.. skipped.Select(s => $"{s.Key}: {s.Reason}")];
}

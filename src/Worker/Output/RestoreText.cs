using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Core.Restore;

namespace Archiver.Worker.Output;

/// <summary>What a restore did, for a person.</summary>
internal static class RestoreText
{
    public static void Write(string source, RestoreReport report, Terminal terminal)
    {
        terminal.WriteLine($"{source}/restore: {Describe(report)}");
        var table = new TextTable("NOT RESTORED", "OBJECT", "REASON");
        foreach (var refusal in report.Refused)
            table.Add(refusal.SessionId ?? "-", refusal.ObjectKey ?? "-", refusal.Reason);
        table.Write(terminal, "  ");
        var beside = new TextTable("BESIDE LATER ROWS", "TABLE", "ROWS");
        foreach (var rows in report.Beside)
            beside.Add(rows.SessionId, rows.Table, rows.Rows.ToString(CultureInfo.InvariantCulture));
        beside.Write(terminal, "  ");
        WriteError(report, terminal);
    }

    /// <summary>Why it is not wholly done: a person must not have to read it out of the log.</summary>
    public static void WriteError(RestoreReport report, Terminal terminal)
    {
        if (Reason(report) is { } reason)
            terminal.Fail(reason);
    }

    private static string? Reason(RestoreReport report) =>
        report switch
        {
            { Outcome: RunOutcome.Done } => null,
            { Outcome: RunOutcome.Partial, Refused: [var only] } => $"{only.SessionId ?? only.ObjectKey} was not restored: "
                + $"{only.Reason}.{Advice(only)}",
            { Outcome: RunOutcome.Partial } =>
                $"{Amount.Of(report.Refused.Count, "session")} were not restored, for the reasons above, such "
                    + $"as: {report.Refused[0].Reason}.",
            { Outcome: RunOutcome.Cancelled } =>
                "Stopped on request. What was committed stays restored; the same command restores the rest.",
            _ => report.Error,
        };

    private static string Advice(RestoreRefusal only) =>
        only.ObjectKey is null && !only.Reason.Contains("archiver ", StringComparison.Ordinal) ? " What the ledger has: archiver list" : "";

    private static string Describe(RestoreReport report) =>
        report.Outcome switch
        {
            RunOutcome.Refused => "refused, nothing was changed",
            RunOutcome.LockedElsewhere => "not run: another worker is running on this source",
            RunOutcome.Done or RunOutcome.Partial or RunOutcome.Cancelled or RunOutcome.Failed => $"{Word(report)}, {Done(report)}",
            _ => throw new ArgumentOutOfRangeException(nameof(report), report.Outcome, "Unknown outcome."),
        };

    private static string Word(RestoreReport report) =>
        report.Outcome switch
        {
            RunOutcome.Done => report.DryRun ? "dry run" : "done",
            RunOutcome.Partial when report.Restored + report.AlreadyThere == 0 => report.DryRun
                ? "dry run, nothing could be restored"
                : "nothing was restored",
            RunOutcome.Partial => report.DryRun ? "dry run, only a part could be restored" : "done in part",
            RunOutcome.Cancelled => "stopped on request",
            _ => "failed",
        };

    private static string Done(RestoreReport report)
    {
        List<string> parts = [];
        if (report.Restored > 0)
            parts.Add(
                $"{Amount.Of(report.Restored, "session")} {(report.DryRun ? "would be restored" : "restored")} with "
                    + $"{Amount.Of(report.Rows, "row")} in {Amount.Seconds(report.Elapsed)}"
            );
        if (report.AlreadyThere > 0)
            parts.Add($"{Amount.Of(report.AlreadyThere, "session")} there already, unchanged");
        if (report.Refused.Count > 0)
            parts.Add($"{report.Refused.Count.ToString(CultureInfo.InvariantCulture)} not restored");
        // "nothing to restore" is a finding, and a restore that failed found nothing out.
        return parts.Count > 0 ? string.Join(", ", parts)
            : report.Outcome == RunOutcome.Done ? "nothing to restore"
            : "nothing was restored";
    }
}

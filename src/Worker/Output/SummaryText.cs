using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;

namespace Archiver.Worker.Output;

/// <summary>What a run did, for a person.</summary>
internal static class SummaryText
{
    public static void Write(RunSummary run, Terminal terminal)
    {
        terminal.WriteLine($"{run.Source}/{run.Policy}: {Describe(run)}");
        foreach (var (reason, sessions) in run.Reasons.Concat(run.Excluded))
            terminal.WriteLine($"  {Amount.Of(sessions, "session")} left: {reason}");
        if (run.CutShort is { } limit)
            terminal.WriteLine($"  stopped before its end: {limit}");
        WriteError(run, terminal);
    }

    /// <summary>Why it is not wholly done: a person must not have to read it out of the log.</summary>
    public static void WriteError(RunSummary run, Terminal terminal)
    {
        var name = $"{run.Source}/{run.Policy}";
        if (Reason(run) is { } reason)
            terminal.Fail(reason.StartsWith(name, StringComparison.Ordinal) ? reason : $"{name}: {reason}");
    }

    private static string? Reason(RunSummary run) =>
        run.Outcome switch
        {
            RunOutcome.Done or RunOutcome.Paused => null,
            RunOutcome.Partial when run.Failed > 0 =>
                $"{Amount.Of(run.Failed, "session")} failed and {(run.Failed == 1 ? "stays" : "stay")} in the database. Why, and when the "
                    + $"next attempt is: archiver quarantine list{(run.Error is { } more ? $". {more}" : "")}",
            RunOutcome.LockedElsewhere =>
                "Another worker runs on this source, so nothing was done. Try again when it has ended; see: archiver status",
            RunOutcome.Cancelled => "Stopped on request. What was committed stays; the next run goes on from there.",
            _ => run.Error,
        };

    private static string Describe(RunSummary run) =>
        run.Outcome switch
        {
            RunOutcome.Done when run.DryRun => $"dry run, a real one would take {Amount.Of(run.Selected, "session")}",
            RunOutcome.Done or RunOutcome.Partial or RunOutcome.Cancelled or RunOutcome.Failed => $"{Word(run.Outcome)}, {Done(run)}",
            RunOutcome.Refused => "refused, nothing was changed",
            RunOutcome.LockedElsewhere => "not run: another worker is running on this source",
            RunOutcome.Paused => $"not run: {run.Error}",
            _ => throw new ArgumentOutOfRangeException(nameof(run), run.Outcome, "Unknown outcome."),
        };

    private static string Word(RunOutcome outcome) =>
        outcome switch
        {
            RunOutcome.Done => "done",
            RunOutcome.Partial => "done in part",
            RunOutcome.Cancelled => "stopped on request",
            _ => "failed",
        };

    private static string Done(RunSummary run) =>
        run.Action switch
        {
            PolicyAction.Purge => run.Rows == 0
                ? "nothing purged"
                : $"{Amount.Of(run.Rows, "row")} of {Amount.Of(run.Sessions, "session")} purged in {Amount.Seconds(run.Elapsed)}",
            PolicyAction.Expire => run.Sessions == 0
                ? "no session expired"
                : $"{Amount.Of(run.Sessions, "session")} expired in {Amount.Seconds(run.Elapsed)}",
            _ => run.Sessions == 0 ? $"no session {(run.RowsStay ? "stored" : "archived")}"
            : run.Delayed > 0
                ? $"{Amount.Of(run.Sessions - run.Delayed, "session")} stored, {Amount.Of(run.Delayed, "session")} stored before archived "
                    + $"with {Amount.Of(run.Rows, "row")}, in {Amount.Seconds(run.Elapsed)}"
            : run.RowsStay
                ? $"{Amount.Of(run.Sessions, "session")} stored, all rows stay, in {Amount.Seconds(run.Elapsed)}, "
                    + $"{Amount.Bytes(run.JsonBytes)} of JSON in {Amount.Bytes(run.StoredBytes)}"
            : $"{Amount.Of(run.Sessions, "session")} archived with {Amount.Of(run.Rows, "row")} in {Amount.Seconds(run.Elapsed)}, "
                + $"{Amount.Bytes(run.JsonBytes)} of JSON in {Amount.Bytes(run.StoredBytes)}",
        };
}

using Archiver.Core.Diagnostics;
using Archiver.Core.Discard;

namespace Archiver.Worker.Output;

/// <summary>A discard in words.</summary>
internal static class DiscardText
{
    public static void Write(DiscardReport report, Terminal terminal)
    {
        if (report.Outcome is RunOutcome.Paused or RunOutcome.LockedElsewhere)
        {
            terminal.WriteLine($"{report.Source}: nothing discarded: {report.Error}");
            WriteError(report, terminal);
            return;
        }
        if (report is { Plan: false, Error: { } refused } && report.RunId == Guid.Empty)
        {
            terminal.Fail(refused);
            return;
        }
        terminal.WriteLine($"{report.Source}: {(report.Plan ? "would destroy" : "destroyed")} {Of(report.Discarded)}");
        WriteIfAny(report, report.Announced, report.Plan ? "would be announced" : "announced, to be destroyed after the notice", terminal);
        // After a discard the queue has what it announced itself as well.
        if (report.Plan || report.Waiting.Objects > report.Announced.Objects)
            WriteIfAny(
                report,
                report.Plan ? report.Waiting : report.Waiting.Without(report.Announced),
                $"announced before, the first is due {report.NextDue}",
                terminal
            );
        WriteIfAny(report, report.Held, "stay: under a legal hold, or in a bundle with one that is", terminal);
        WriteIfAny(report, report.Unknown, "stay: their state is unknown, see archiver reconcile", terminal);
        WriteIfAny(report, report.Stored, "stay: rows in the database are marked as stored there", terminal);
        foreach (var failure in report.Failed)
            terminal.WriteLine($"{report.Source}: still there: {failure.Reason}");
        WriteError(report, terminal);
    }

    /// <summary>Why it is not wholly done.</summary>
    public static void WriteError(DiscardReport report, Terminal terminal)
    {
        if (report is { Failed: [var first, ..], Error: null })
            terminal.Fail(
                $"{report.Source}: {Amount.Of(report.Failed.Count, "object")} could not be destroyed, such as {first.Key}: "
                    + $"{first.Reason}. The next discard tries it again."
            );
        else if (report is { Error: { } error, Outcome: not RunOutcome.Paused })
            terminal.Fail($"{report.Source}: {error}");
    }

    private static void WriteIfAny(DiscardReport report, DiscardCount count, string what, Terminal terminal)
    {
        if (count.Objects > 0)
            terminal.WriteLine($"{report.Source}: {Of(count)} {what}");
    }

    private static string Of(DiscardCount count) =>
        $"{Amount.Of(count.Archives, "archive")} in {Amount.Of(count.Objects, "object")} ({Amount.Bytes(count.Bytes)})";
}

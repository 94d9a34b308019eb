using System.Globalization;
using Archiver.Core.Status;

namespace Archiver.Worker.Output;

/// <summary>What in a source's status a person should look at, each with what to do.</summary>
internal static class StatusWarnings
{
    public static IEnumerable<string> Of(SourceStatus status)
    {
        if (status.NotOwner is { } reason)
            yield return $"discard, erase and reconcile --fix destroy nothing: {reason}. See: archiver ledger own --help";
        foreach (var warning in ProofText.Warnings(status))
            yield return warning;
        foreach (var policy in status.Policies)
        {
            var name = $"{status.Source}/{policy.Name}";
            if (policy.Problem is { } problem)
                yield return $"{name}: {problem}";
            if (policy.TripWire)
                yield return $"{name} would take more than Safety:MaxShare of the sessions. If that is right: archiver accept {name}";
            if (policy.LastRun is { State: "failed" or "partial" or "interrupted" or "refused" } run)
                yield return $"{name}: the last run was {run.State}{(run.Error is { } error ? $": {error}" : "")}";
        }
        foreach (var pause in status.Pauses)
            yield return $"Paused: {pause}. Go on with: archiver resume";
        if (status.Quarantined > 0)
            yield return $"{Amount.Of(status.Quarantined, "session")} quarantined. See: archiver quarantine list";
        foreach (var table in status.Tables)
        {
            if (table is { TooLarge: true, Threshold: { } threshold })
                yield return $"{table.Table} has {Amount.Bytes(table.Bytes)}, more than Growth:{Setting(table)} "
                    + $"({Amount.Bytes(threshold)})";
            if (table.NeedsVacuum)
                yield return string.Create(
                    CultureInfo.InvariantCulture,
                    $"{table.Table} has {table.DeadRows} dead rows beside about "
                        + $"{table.Rows} live ones. Let autovacuum work, or: VACUUM (ANALYZE) {table.Table}"
                );
        }
    }

    private static string Setting(TableStatus table) =>
        table.Name == Core.Settings.SourceMap.SessionName ? "SessionsTable" : "MessagesTable";
}

using System.Globalization;
using Archiver.Core.Status;

namespace Archiver.Worker.Output;

/// <summary>A source's status, for a person.</summary>
internal static class StatusText
{
    private const int Runs = 5;

    public static void Write(SourceStatus status, Terminal terminal)
    {
        terminal.WriteLine($"{status.Source}, {At(status.At)}");
        foreach (var warning in StatusWarnings.Of(status))
            terminal.WriteLines($"  ! {warning}");
        WritePolicies(status, terminal);
        WriteRuns(status, terminal);
        WriteTables(status, terminal);
        WriteProofs(status, terminal);
        var week = status.Days.TakeLast(7).ToList();
        var archived = status.Totals.Where(t => t.Action == "archive").ToList();
        terminal.WriteLine(
            $"  last 7 days: {Amount.Of(week.Sum(d => d.Archived), "session")} taken, "
                + $"{Amount.Of(week.Sum(d => d.Restored), "session")} restored, {Amount.Bytes(week.Sum(d => d.JsonBytes))} of JSON in "
                + $"{Amount.Bytes(week.Sum(d => d.StoredBytes))}"
        );
        terminal.WriteLine(
            $"  in all: {Amount.Of(archived.Sum(t => t.Done), "session")} archived, "
                + $"{Amount.Bytes(archived.Sum(t => t.JsonBytes))} of JSON in {Amount.Bytes(archived.Sum(t => t.StoredBytes))}"
        );
        terminal.WriteLine($"  {CostText.Of(status.Cost)}");
        terminal.WriteLine(
            $"  archives: {string.Join(", ", status.Archives.Select(a => $"{Number(a.Value)} {a.Key}").DefaultIfEmpty("none"))}; holds: "
                + $"{Number(status.Holds)}; failing: {Number(status.Failing)}; quarantined: {Number(status.Quarantined)}"
        );
    }

    private static void WriteProofs(SourceStatus status, Terminal terminal)
    {
        if (status.Proofs.Count == 0)
            return;
        var table = new TextTable("PROOF", "LAST DONE", "CHECKED", "FOUND", "WHOLE ARCHIVE", "STATE");
        foreach (var p in status.Proofs)
            table.Add(
                p.Proof,
                p.DoneAt is { } at ? At(at) : "never",
                Number(p.Checked),
                ProofText.Found(p),
                ProofText.Walk(p, status),
                p.State ?? "not yet"
            );
        table.Write(terminal, "  ");
    }

    private static void WritePolicies(SourceStatus status, Terminal terminal)
    {
        var table = new TextTable("POLICY", "ACTION", "ELIGIBLE", "ABOUT", "PAST CUT-OFF", "LAST SUCCESS", "STATE");
        foreach (var p in status.Policies)
        {
            table.Add(
                p.Name,
                p.Action.ToString(),
                p.Eligible is { } eligible ? Number(eligible) : "?",
                p.EligibleBytes is { } bytes ? Amount.Bytes(bytes) : "?",
                p.SecondsPastCutOff is { } late ? Amount.Age(TimeSpan.FromSeconds(late)) : "?",
                p.LastSuccess is { } at ? At(at) : "never",
                p.Paused ? "paused"
                    : p.TripWire ? "waits to be accepted"
                    : p.LastRun?.State ?? "never ran"
            );
        }
        table.Write(terminal, "  ");
    }

    private static void WriteRuns(SourceStatus status, Terminal terminal)
    {
        var table = new TextTable("LAST RUNS", "POLICY", "STATE", "TOOK", "SESSIONS", "SKIPPED", "FAILED", "STORED", "ERROR");
        foreach (var r in status.Runs.Take(Runs))
        {
            table.Add(
                At(r.StartedAt),
                r.Policy,
                r.State,
                Amount.Seconds(TimeSpan.FromSeconds(r.Seconds)),
                Number(r.Done),
                Number(r.Skipped),
                Number(r.Failed),
                Amount.Bytes(r.StoredBytes),
                r.Error?.ReplaceLineEndings(" ") ?? "-"
            );
        }
        table.Write(terminal, "  ");
    }

    private static void WriteTables(SourceStatus status, Terminal terminal)
    {
        var table = new TextTable("TABLE", "SIZE", "ROWS", "DEAD ROWS", "SOFT-DELETED", "LAST VACUUM");
        foreach (var t in status.Tables)
        {
            table.Add(
                t.Table,
                Amount.Bytes(t.Bytes),
                $"about {Number(t.Rows)}",
                Number(t.DeadRows),
                t.SoftDeleted is { } deleted ? Number(deleted) : "-",
                t.LastVacuum is { } at ? At(at) : "never"
            );
        }
        table.Write(terminal, "  ");
    }

    private static string At(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}

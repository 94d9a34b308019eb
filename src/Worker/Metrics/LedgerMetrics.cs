using System.Diagnostics.Metrics;
using System.Reflection;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;

namespace Archiver.Worker.Metrics;

/// <summary>
/// The board as instruments of one meter: the Prometheus text and OTLP both read them, so there is one list of metrics. Sums over the
/// ledger are the same in every worker; add them up by <c>max</c>, not by <c>sum</c>.
/// </summary>
internal sealed class LedgerMetrics
{
    private readonly StatusInstruments _add;

    public LedgerMetrics(BatchMeter batches, StatusBoard board)
    {
        _add = new(batches.Meter, board);
        var version = typeof(LedgerMetrics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
            ?? "";
        batches.Meter.CreateObservableGauge(
            "archiver.build.info",
            () => new Measurement<long>(1, new KeyValuePair<string, object?>("version", version)),
            null,
            "1, with the version as a label."
        );
        batches.Meter.CreateObservableGauge(
            "archiver.source.up",
            () => board.Latest.Select(e => StatusInstruments.Of(e.Status is null ? 0L : 1, ("source", e.Source.Name))),
            null,
            "1 when the source's status could be read."
        );
        _add.Gauge("archiver.status.read.time", "s", "When the numbers of the source were read, as a Unix time.", s =>
            s.At.ToUnixTimeSeconds()
        );
        AddPolicies();
        AddTables();
        AddTotals();
        AddProofs();
        AddCost();
        _add.Gauge("archiver.quarantined.sessions", null, "Sessions set aside until a person looks at them.", s => s.Quarantined);
        _add.Gauge("archiver.failing.sessions", null, "Sessions that failed and are tried again.", s => s.Failing);
        _add.Gauge("archiver.holds", null, "Legal holds in force.", s => s.Holds);
        _add.Gauges("archiver.archives", "Archives in the ledger by state.", s =>
            s.Archives.Select(a => StatusInstruments.Of(a.Value, ("source", s.Source), ("state", a.Key)))
        );
    }

    private void AddProofs()
    {
        _add.Proofs("archiver.proof.done.time", "s", "When the scheduled proof last came to its end, as a Unix time.", p =>
            p.DoneAt?.ToUnixTimeSeconds()
        );
        _add.Proofs("archiver.proof.duration", "s", "How long it then took.", p => p.DoneAt is null ? null : p.Seconds);
        _add.Proofs(
            "archiver.proof.checked",
            null,
            "Archives that it then read, restores that it rehearsed, or objects that it compared.",
            p => p.DoneAt is null ? null : p.Checked
        );
        _add.Proofs("archiver.proof.not_done", null, "1 when the last attempt was skipped or failed.", p =>
            p.State is "skipped" or "failed" ? 1 : 0
        );
        _add.Proofs(
            "archiver.proof.walked.time",
            "s",
            "Begin of the last whole walk over the archive, as a Unix time: every archive that was there has been read since.",
            p => p.WalkedFrom?.ToUnixTimeSeconds()
        );
        _add.Gauges("archiver.proof.found", "What the scheduled proof found when it last came to its end, by kind.", s =>
            s.Proofs.SelectMany(p =>
                p.Found.Select(f => StatusInstruments.Of(f.Value, ("source", s.Source), ("proof", p.Proof), ("problem", f.Key)))
            )
        );
        _add.Gauges("archiver.damaged.archives", "Archives that were not right when they were last read, by problem; from the ledger.", s =>
            s.Damaged.Select(d => StatusInstruments.Of(d.Value, ("source", s.Source), ("problem", d.Key)))
        );
    }

    private void AddCost()
    {
        _add.Gauge("archiver.kept.size", "By", "Bytes of the stored objects.", s => s.Cost.Bytes);
        _add.Gauge("archiver.kept.objects", null, "Stored objects.", s => s.Cost.Objects);
        _add.Counter("archiver.store.requests", "Requests that runs, proofs, queries and searches sent to the store; from the ledger.", s =>
            s.Cost.Requests
        );
    }

    private void AddPolicies()
    {
        _add.Policies("archiver.eligible.sessions", null, "Sessions that the policy takes now.", p => p.Eligible);
        _add.Policies("archiver.eligible.size", "By", "About the bytes of the sessions that the policy takes now.", p => p.EligibleBytes);
        _add.Policies("archiver.past_cut_off", "s", "For how long the session that waits longest has been eligible.", p =>
            p.SecondsPastCutOff
        );
        _add.Policies(
            "archiver.last_success.time",
            "s",
            "When the policy's last run ended that was done, of its shards the oldest; before the first, when the ledger was made. As a "
                + "Unix time.",
            p => p.NoSuccessSince?.ToUnixTimeSeconds()
        );
        _add.Policies("archiver.last_run.duration", "s", "How long the policy's last run took.", p => p.LastRun?.Seconds);
        _add.Policies("archiver.paused", null, "1 when the policy is paused.", p => p.Paused ? 1 : 0);
        _add.Policies("archiver.trip_wire", null, "1 when the next run would stop until a person accepts the policy.", p =>
            p.TripWire ? 1 : 0
        );
        _add.Policies("archiver.refused", null, "1 when inspection refuses the source, or its backlog could not be counted.", p =>
            p.Problem is null ? 0 : 1
        );
    }

    private void AddTables()
    {
        _add.Tables("archiver.table.size", "By", "Bytes of a mapped table with its indexes.", t => t.Bytes);
        _add.Tables("archiver.table.size.threshold", "By", "Bytes above which status warns.", t => t.Threshold);
        _add.Tables("archiver.table.rows", null, "Rows as the server's statistics estimate them.", t => t.Rows);
        _add.Tables("archiver.table.dead_rows", null, "Dead rows that no vacuum has taken yet.", t => t.DeadRows);
        _add.Tables("archiver.table.soft_deleted_rows", null, "Rows marked as deleted by their application.", t => t.SoftDeleted);
    }

    private void AddTotals()
    {
        _add.Totals("archiver.runs", null, "Runs that ended, by state; from the ledger.", t =>
            t.Runs.Select(r => ((string?, string?, long))("state", r.Key, r.Value))
        );
        _add.Totals("archiver.sessions", null, "Sessions of all runs by outcome; from the ledger.", t =>
            [("outcome", "done", t.Done), ("outcome", "skipped", t.Skipped), ("outcome", "failed", t.Failed)]
        );
        _add.Totals("archiver.rows", null, "Rows deleted by all runs; from the ledger.", t => [(null, null, t.Rows)]);
        _add.Totals("archiver.json.size", "By", "Bytes of JSON of all runs; from the ledger.", t => [(null, null, t.JsonBytes)]);
        _add.Totals("archiver.stored.size", "By", "Compressed bytes stored by all runs; from the ledger.", t =>
            [(null, null, t.StoredBytes)]
        );
        _add.Totals("archiver.left.sessions", null, "Sessions that runs left in the database, by reason; from the ledger.", t =>
            t.Reasons.Select(r => ((string?, string?, long))("reason", r.Key, r.Value))
        );
        _add.Totals(
            "archiver.verify.failures",
            null,
            "Stored copies that were missing or differed when they were read back; from the ledger.",
            t =>
                t.Action == "archive"
                    ? [(null, null, t.Reasons.GetValueOrDefault(DropReason.Missing) + t.Reasons.GetValueOrDefault(DropReason.Corrupt))]
                    : []
        );
    }
}

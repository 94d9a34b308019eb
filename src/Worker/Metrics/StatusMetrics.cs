using System.Diagnostics.Metrics;
using System.Reflection;
using Archiver.Core.Diagnostics;
using Archiver.Core.Ledger;
using Archiver.Core.Proofs;
using Archiver.Core.Status;

namespace Archiver.Worker.Metrics;

/// <summary>
/// The board as instruments of one meter: the Prometheus text and OTLP both read them, so there is one list of metrics. Sums over the ledger are
/// the same in every worker; add them up by <c>max</c>, not by <c>sum</c>.
/// </summary>
internal sealed class StatusMetrics
{
    private readonly Meter _meter;
    private readonly StatusBoard _board;

    public StatusMetrics(BatchMeter batches, StatusBoard board)
    {
        _meter = batches.Meter;
        _board = board;
        var version = typeof(StatusMetrics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
        _meter.CreateObservableGauge("archiver.build.info", () => new Measurement<long>(1, new KeyValuePair<string, object?>("version", version)), null, "1, with the version as a label.");
        _meter.CreateObservableGauge("archiver.source.up", () => _board.Latest.Select(e => Of(e.Status is null ? 0 : 1, ("source", e.Source.Name))), null, "1 when the source's status could be read.");
        _meter.CreateObservableGauge("archiver.status.read.time", () => Sources<long>(s => [Of(s.At.ToUnixTimeSeconds(), ("source", s.Source))]), "s", "When the numbers of the source were read, as a Unix time.");
        AddPolicies();
        AddTables();
        AddTotals();
        AddProofs();
        AddCost();
        Gauge("archiver.quarantined.sessions", "Sessions set aside until a person looks at them.", s => [Of(s.Quarantined, ("source", s.Source))]);
        Gauge("archiver.failing.sessions", "Sessions that failed and are tried again.", s => [Of(s.Failing, ("source", s.Source))]);
        Gauge("archiver.holds", "Legal holds in force.", s => [Of(s.Holds, ("source", s.Source))]);
        Gauge("archiver.archives", "Archives in the ledger by state.", s => s.Archives.Select(a => Of(a.Value, ("source", s.Source), ("state", a.Key))));
    }

    private void AddProofs()
    {
        Proofs("archiver.proof.done.time", "s", "When the scheduled proof last came to its end, as a Unix time.", p => p.DoneAt?.ToUnixTimeSeconds());
        Proofs("archiver.proof.duration", "s", "How long it then took.", p => p.DoneAt is null ? null : p.Seconds);
        Proofs("archiver.proof.checked", null, "Archives that it then read, restores that it rehearsed, or objects that it compared.", p => p.DoneAt is null ? null : p.Checked);
        Proofs("archiver.proof.not_done", null, "1 when the last attempt was skipped or failed.", p => p.State is "skipped" or "failed" ? 1 : 0);
        Proofs("archiver.proof.walked.time", "s", "Begin of the last whole walk over the archive, as a Unix time: every archive that was there has been read since.", p => p.WalkedFrom?.ToUnixTimeSeconds());
        Gauge("archiver.proof.found", "What the scheduled proof found when it last came to its end, by kind.",
            s => s.Proofs.SelectMany(p => p.Found.Select(f => Of(f.Value, ("source", s.Source), ("proof", p.Proof), ("problem", f.Key)))));
        Gauge("archiver.damaged.archives", "Archives that were not right when they were last read, by problem; from the ledger.",
            s => s.Damaged.Select(d => Of(d.Value, ("source", s.Source), ("problem", d.Key))));
    }

    private void AddCost()
    {
        _meter.CreateObservableGauge("archiver.kept.size", () => Sources<long>(s => [Of(s.Cost.Bytes, ("source", s.Source))]), "By", "Bytes of the stored objects.");
        Gauge("archiver.kept.objects", "Stored objects.", s => [Of(s.Cost.Objects, ("source", s.Source))]);
        _meter.CreateObservableCounter(
            "archiver.store.requests", () => Sources<long>(s => s.Cost.Requests is { } n ? [Of(n, ("source", s.Source))] : []), null, "Requests that runs and proofs sent to the store; from the ledger.");
    }

    private void AddPolicies()
    {
        Policies("archiver.eligible.sessions", null, "Sessions that the policy takes now.", p => p.Eligible);
        Policies("archiver.eligible.size", "By", "About the bytes of the sessions that the policy takes now.", p => p.EligibleBytes);
        Policies("archiver.past_cut_off", "s", "For how long the session that waits longest has been eligible.", p => p.SecondsPastCutOff);
        Policies("archiver.last_success.time", "s", "When the policy's last run ended that was done, as a Unix time.", p => p.LastSuccess?.ToUnixTimeSeconds());
        Policies("archiver.last_run.duration", "s", "How long the policy's last run took.", p => p.LastRun?.Seconds);
        Policies("archiver.paused", null, "1 when the policy is paused.", p => p.Paused ? 1 : 0);
        Policies("archiver.trip_wire", null, "1 when the next run would stop until a person accepts the policy.", p => p.TripWire ? 1 : 0);
        Policies("archiver.refused", null, "1 when inspection refuses the source, or its backlog could not be counted.", p => p.Problem is null ? 0 : 1);
    }

    private void AddTables()
    {
        Tables("archiver.table.size", "By", "Bytes of a mapped table with its indexes.", t => t.Bytes);
        Tables("archiver.table.size.threshold", "By", "Bytes above which status warns.", t => t.Threshold);
        Tables("archiver.table.rows", null, "Rows as the server's statistics estimate them.", t => t.Rows);
        Tables("archiver.table.dead_rows", null, "Dead rows that no vacuum has taken yet.", t => t.DeadRows);
        Tables("archiver.table.soft_deleted_rows", null, "Rows marked as deleted by their application.", t => t.SoftDeleted);
    }

    private void AddTotals()
    {
        Counter("archiver.runs", null, "Runs that ended, by state; from the ledger.", t => t.Runs.Select(r => ((string?, string?, long))("state", r.Key, r.Value)));
        Counter("archiver.sessions", null, "Sessions of all runs by outcome; from the ledger.", t => [("outcome", "done", t.Done), ("outcome", "skipped", t.Skipped), ("outcome", "failed", t.Failed)]);
        Counter("archiver.rows", null, "Rows deleted by all runs; from the ledger.", t => [(null, null, t.Rows)]);
        Counter("archiver.json.size", "By", "Bytes of JSON of all runs; from the ledger.", t => [(null, null, t.JsonBytes)]);
        Counter("archiver.stored.size", "By", "Compressed bytes stored by all runs; from the ledger.", t => [(null, null, t.StoredBytes)]);
        Counter("archiver.left.sessions", null, "Sessions that runs left in the database, by reason; from the ledger.", t => t.Reasons.Select(r => ((string?, string?, long))("reason", r.Key, r.Value)));
        Counter("archiver.verify.failures", null, "Stored copies that were missing or differed when they were read back; from the ledger.", t => t.Action == "archive"
            ? [(null, null, t.Reasons.GetValueOrDefault(DropReason.Missing) + t.Reasons.GetValueOrDefault(DropReason.Corrupt))]
            : []);
    }

    private void Gauge(string name, string help, Func<SourceStatus, IEnumerable<Measurement<long>>> read) => _meter.CreateObservableGauge(name, () => Sources(read), null, help);

    private void Policies(string name, string? unit, string help, Func<PolicyStatus, double?> read) => _meter.CreateObservableGauge(
        name, () => Sources(s => s.Policies.Where(p => read(p) is not null).Select(p => new Measurement<double>(read(p)!.Value, Tags(("source", s.Source), ("policy", p.Name), ("action", Action(p)))))), unit, help);

    private void Proofs(string name, string? unit, string help, Func<ProofStatus, double?> read) => _meter.CreateObservableGauge(
        name, () => Sources(s => s.Proofs.Where(p => read(p) is not null).Select(p => new Measurement<double>(read(p)!.Value, Tags(("source", s.Source), ("proof", p.Proof))))), unit, help);

    private void Tables(string name, string? unit, string help, Func<TableStatus, long?> read) => _meter.CreateObservableGauge(
        name, () => Sources(s => s.Tables.Where(t => read(t) is not null).Select(t => Of(read(t)!.Value, ("source", s.Source), ("table", t.Table)))), unit, help);

    private void Counter(string name, string? unit, string help, Func<RunTotals, IEnumerable<(string? Label, string? Value, long Count)>> read) => _meter.CreateObservableCounter(
        name,
        () => Sources(s => s.Totals.SelectMany(t => read(t).Select(c => c.Label is null
            ? Of(c.Count, ("source", s.Source), ("policy", t.Policy), ("action", t.Action))
            : Of(c.Count, ("source", s.Source), ("policy", t.Policy), ("action", t.Action), (c.Label, c.Value!))))),
        unit, help);

    private IEnumerable<Measurement<T>> Sources<T>(Func<SourceStatus, IEnumerable<Measurement<T>>> read) where T : struct =>
        _board.Latest.Where(e => e.Status is not null).SelectMany(e => read(e.Status!));

    private static string Action(PolicyStatus policy) => policy.Action.ToString().ToLowerInvariant();

    private static Measurement<long> Of(long value, params (string Name, string Value)[] tags) => new(value, Tags(tags));

    private static KeyValuePair<string, object?>[] Tags(params (string Name, string Value)[] tags) => [.. tags.Select(t => new KeyValuePair<string, object?>(t.Name, t.Value))];
}

using System.Diagnostics.Metrics;
using Archiver.Core.Proofs;
using Archiver.Core.Status;

namespace Archiver.Worker.Metrics;

/// <summary>Makes instruments that read the newest status of each source on the board. Each measurement bears the source's name.</summary>
internal sealed class StatusInstruments(Meter meter, StatusBoard board)
{
    /// <summary>One number a source.</summary>
    public void Gauge(string name, string? unit, string help, Func<SourceStatus, long> read) =>
        meter.CreateObservableGauge(name, () => Sources<long>(s => [Of(read(s), ("source", s.Source))]), unit, help);

    /// <summary>Several numbers a source, with labels of their own.</summary>
    public void Gauges(string name, string help, Func<SourceStatus, IEnumerable<Measurement<long>>> read) =>
        meter.CreateObservableGauge(name, () => Sources(read), null, help);

    /// <summary>One number a source that only grows; null where nothing is known.</summary>
    public void Counter(string name, string help, Func<SourceStatus, long?> read) =>
        meter.CreateObservableCounter(name, () => Sources(s => Known(read(s), ("source", s.Source))), null, help);

    public void Policies(string name, string? unit, string help, Func<PolicyStatus, double?> read) =>
        meter.CreateObservableGauge(
            name,
            () =>
                Sources(s =>
                    s.Policies.SelectMany(p =>
                        Known(read(p), ("source", s.Source), ("policy", p.Name), ("action", p.Action.ToString().ToLowerInvariant()))
                    )
                ),
            unit,
            help
        );

    public void Proofs(string name, string? unit, string help, Func<ProofStatus, double?> read) =>
        meter.CreateObservableGauge(
            name,
            () => Sources(s => s.Proofs.SelectMany(p => Known(read(p), ("source", s.Source), ("proof", p.Proof)))),
            unit,
            help
        );

    public void Tables(string name, string? unit, string help, Func<TableStatus, long?> read) =>
        meter.CreateObservableGauge(
            name,
            () => Sources(s => s.Tables.SelectMany(t => Known(read(t), ("source", s.Source), ("table", t.Table)))),
            unit,
            help
        );

    /// <summary>Sums over all runs of a policy, each with a label of its own or none.</summary>
    public void Totals(
        string name,
        string? unit,
        string help,
        Func<RunTotals, IEnumerable<(string? Label, string? Value, long Count)>> read
    ) =>
        meter.CreateObservableCounter(
            name,
            () =>
                Sources(s =>
                    s.Totals.SelectMany(t =>
                        read(t)
                            .Select(c =>
                                c.Label is null
                                    ? Of(c.Count, ("source", s.Source), ("policy", t.Policy), ("action", t.Action))
                                    : Of(c.Count, ("source", s.Source), ("policy", t.Policy), ("action", t.Action), (c.Label, c.Value!))
                            )
                    )
                ),
            unit,
            help
        );

    public static Measurement<T> Of<T>(T value, params (string Name, string Value)[] tags)
        where T : struct => new(value, tags.Select(t => new KeyValuePair<string, object?>(t.Name, t.Value)));

    private static IEnumerable<Measurement<T>> Known<T>(T? value, params (string Name, string Value)[] tags)
        where T : struct => value is { } known ? [Of(known, tags)] : [];

    private IEnumerable<Measurement<T>> Sources<T>(Func<SourceStatus, IEnumerable<Measurement<T>>> read)
        where T : struct => board.Latest.Where(e => e.Status is not null).SelectMany(e => read(e.Status!));
}

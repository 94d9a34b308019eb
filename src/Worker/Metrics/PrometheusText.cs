using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Archiver.Core.Diagnostics;

namespace Archiver.Worker.Metrics;

/// <summary>
/// Listens to one meter and writes it in the Prometheus text format 0.0.4 (docs/adr/0014: the exporter is a beta).
/// <c>archiver.batch.duration</c> in seconds becomes <c>archiver_batch_duration_seconds</c>, a counter gets <c>_total</c>.
/// </summary>
internal sealed class PrometheusText : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);

    public PrometheusText(BatchMeter batches)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == batches.Meter)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>Asks the observable instruments and writes everything.</summary>
    public string Write()
    {
        lock (_lock)
        {
            // A policy or table that is gone must not stay for ever with its last value.
            foreach (var family in _families.Values)
                family.ForgetObserved();
            _listener.RecordObservableInstruments();
            var text = new StringBuilder();
            foreach (var family in _families.Values)
                family.Write(text);
            return text.ToString();
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = Labels(tags);
        lock (_lock)
        {
            var name = MetricFamily.NameOf(instrument);
            if (!_families.TryGetValue(name, out var family))
                _families[name] = family = new MetricFamily(name, instrument);
            family.Take(labels, value);
        }
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            var escaped = Convert
                .ToString(value, CultureInfo.InvariantCulture)!
                .Replace("\\", "\\\\", StringComparison.Ordinal)
                .Replace("\"", "\\\"", StringComparison.Ordinal)
                .Replace("\n", "\\n", StringComparison.Ordinal);
            text.Append(text.Length == 0 ? "" : ",").Append(name.Replace('.', '_')).Append("=\"").Append(escaped).Append('"');
        }
        return text.ToString();
    }
}

using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Archiver.Worker.Metrics;

/// <summary>One metric with all its series, as the text format groups them. Its caller holds the lock.</summary>
internal sealed class MetricFamily
{
    private static readonly double[] DefaultBounds = [0.005, 0.025, 0.1, 0.5, 1, 5, 10, 60];

    private readonly string _name,
        _type,
        _help;
    private readonly bool _observed;
    private readonly double[] _bounds;
    private readonly SortedDictionary<string, Series> _series = new(StringComparer.Ordinal);

    public MetricFamily(string name, Instrument instrument)
    {
        _name = name;
        _help = instrument.Description ?? name;
        _type =
            IsCounter(instrument) ? "counter"
            : IsHistogram(instrument) ? "histogram"
            : "gauge";
        _observed = instrument.IsObservable;
        _bounds = (instrument as Histogram<double>)?.Advice?.HistogramBucketBoundaries?.ToArray() ?? DefaultBounds;
    }

    public static string NameOf(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_');
        var unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        return $"{name}{unit}{(IsCounter(instrument) ? "_total" : "")}";
    }

    public void ForgetObserved()
    {
        if (_observed)
            _series.Clear();
    }

    public void Take(string labels, double value)
    {
        if (!_series.TryGetValue(labels, out var series))
            _series[labels] = series = new Series(_type == "histogram" ? new long[_bounds.Length] : null);
        if (_observed)
        {
            series.Sum = value;
            return;
        }
        series.Sum += value;
        series.Count++;
        for (var i = 0; i < (series.Buckets?.Length ?? 0); i++)
            series.Buckets![i] += value <= _bounds[i] ? 1 : 0;
    }

    public void Write(StringBuilder text)
    {
        if (_series.Count == 0)
            return;
        text.Append(CultureInfo.InvariantCulture, $"# HELP {_name} {_help}\n# TYPE {_name} {_type}\n");
        foreach (var (labels, series) in _series)
        {
            if (series.Buckets is null)
                text.Append(CultureInfo.InvariantCulture, $"{_name}{(labels.Length == 0 ? "" : $"{{{labels}}}")} {Number(series.Sum)}\n");
            else
                WriteHistogram(text, labels, series);
        }
    }

    private void WriteHistogram(StringBuilder text, string labels, Series series)
    {
        var prefix = labels.Length == 0 ? "" : labels + ",";
        for (var i = 0; i < _bounds.Length; i++)
            text.Append(CultureInfo.InvariantCulture, $"{_name}_bucket{{{prefix}le=\"{Number(_bounds[i])}\"}} {series.Buckets![i]}\n");
        text.Append(CultureInfo.InvariantCulture, $"{_name}_bucket{{{prefix}le=\"+Inf\"}} {series.Count}\n");
        text.Append(
            CultureInfo.InvariantCulture,
            $"{_name}_sum{{{labels}}} {Number(series.Sum)}\n{_name}_count{{{labels}}} {series.Count}\n"
        );
    }

    private static bool IsCounter(Instrument instrument) =>
        instrument is Counter<long> or Counter<double> or Counter<int> or ObservableCounter<long> or ObservableCounter<double>;

    private static bool IsHistogram(Instrument instrument) => instrument is Histogram<double> or Histogram<long> or Histogram<int>;

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private sealed class Series(long[]? buckets)
    {
        public long[]? Buckets { get; } = buckets;

        public double Sum { get; set; }

        public long Count { get; set; }
    }
}

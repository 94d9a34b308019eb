using System.Globalization;
using System.Text.Json;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Documents;

/// <summary>The oldest and the latest time of the rows of each child of one document, as the document has them.</summary>
internal sealed class RowTimes(SourceMap map)
{
    private readonly Dictionary<string, (DateTimeOffset At, string Text)> _oldest = new(StringComparer.Ordinal),
        _latest = new(StringComparer.Ordinal);

    // What .NET has no time for: infinity, years BC or above 9999. PostgreSQL compares these.
    private readonly HashSet<string> _others = new(StringComparer.Ordinal);

    /// <summary>These, to be compared by PostgreSQL: times of different tables may be of different types.</summary>
    public string[] Extremes => [.. _oldest.Values.Concat(_latest.Values).Select(t => t.Text).Concat(_others).Distinct()];

    /// <summary>Takes the time of a row, if its table has a column for it and that holds one.</summary>
    /// <param name="table">The child's name.</param>
    /// <param name="row">One JSON object.</param>
    /// <exception cref="JsonException">Not JSON.</exception>
    public void Add(string table, ReadOnlySpan<byte> row)
    {
        if (map.Children.FirstOrDefault(c => c.Name == table)?.Time is not { } time || Of(time, row) is not { } text)
            return;
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at))
        {
            _others.Add(text);
            return;
        }
        if (!_oldest.TryGetValue(table, out var oldest) || at < oldest.At)
            _oldest[table] = (at, text);
        if (!_latest.TryGetValue(table, out var latest) || at > latest.At)
            _latest[table] = (at, text);
    }

    private static string? Of(TimeColumn time, ReadOnlySpan<byte> row)
    {
        if (time.IsPlain)
            return RowColumn.Find(row, time.Column, JsonTokenType.String);
        Dictionary<string, string?> values = new(StringComparer.Ordinal);
        foreach (var column in time.Columns)
            values[column] = RowColumn.Find(row, column, JsonTokenType.String, JsonTokenType.Number, JsonTokenType.True);
        return TimeValue.Of(time, values.GetValueOrDefault);
    }
}

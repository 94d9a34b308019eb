using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Policies;

/// <summary>Comparisons of a date or timestamp column with a cut-off, in the column's own type, so that its index serves.</summary>
internal sealed class CutoffSql(SourceSettings source, Cutoffs cutoffs)
{
    /// <summary>The column is older than this age.</summary>
    public string Old(string column, ColumnShape type, TimeSpan age, SqlParameters parameters) => $"{column} < {Instant(type, age, parameters)}";

    /// <summary>
    /// The instant that lies this age back; for a column without zone it is read in the source's time zone. When the clocks go back, times
    /// after the cut-off may read earlier than the cut-off itself: then the earliest of them counts, as long as the shift is at most three
    /// hours, so that no session goes early; it may go an hour late instead.
    /// </summary>
    public string Instant(ColumnShape column, TimeSpan age, SqlParameters parameters)
    {
        var instant = parameters.Add(PgParameter.Instant(cutoffs.Before(age)));
        return column.BaseType switch
        {
            "timestamp with time zone" => instant,
            "timestamp without time zone" => Local(instant, parameters),
            "date" => $"{Local(instant, parameters)}::date",
            _ => throw new InvalidOperationException($"Column '{column.Name}' is {column.Type}, not a date or timestamp; inspection should have refused it."),
        };
    }

    private string Local(string instant, SqlParameters parameters)
    {
        var zone = parameters.Add(PgParameter.Text(source.TimeZone));
        return $"least({instant} AT TIME ZONE {zone}, ({instant} + interval '3 hours') AT TIME ZONE {zone} - interval '3 hours')";
    }
}

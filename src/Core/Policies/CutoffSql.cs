using Archiver.Core.Postgres;
using Archiver.Core.Sources;

namespace Archiver.Core.Policies;

/// <summary>Comparisons of a date or timestamp column with a cut-off, in the column's own type, so that its index serves.</summary>
internal sealed class CutoffSql(SourceSettings source, Cutoffs cutoffs)
{
    /// <summary>The column is older than this age.</summary>
    public string Old(string column, ColumnShape type, TimeSpan age, SqlParameters parameters) => $"{column} < {Instant(type, age, parameters)}";

    /// <summary>The instant that lies this age back; for a column without zone it is read in the source's time zone.</summary>
    public string Instant(ColumnShape column, TimeSpan age, SqlParameters parameters)
    {
        var instant = parameters.Add(PgParameter.Instant(cutoffs.Before(age)));
        return column.BaseType switch
        {
            "timestamp with time zone" => instant,
            "timestamp without time zone" => $"({instant} AT TIME ZONE {parameters.Add(PgParameter.Text(source.TimeZone))})",
            "date" => $"({instant} AT TIME ZONE {parameters.Add(PgParameter.Text(source.TimeZone))})::date",
            _ => throw new InvalidOperationException($"Column '{column.Name}' is {column.Type}, not a date or timestamp; inspection should have refused it."),
        };
    }
}

using Archiver.Core.Postgres;

namespace Archiver.Core.Sources;

/// <summary>A date or timestamp column as timestamptz; one without zone is read in the source's time zone.</summary>
internal static class InstantSql
{
    public static string Of(ColumnShape column, string sql, string timeZone, SqlParameters parameters) => column.BaseType switch
    {
        "timestamp with time zone" => sql,
        "timestamp without time zone" => $"({sql} AT TIME ZONE {parameters.Add(PgParameter.Text(timeZone))})",
        "date" => $"({sql}::timestamp AT TIME ZONE {parameters.Add(PgParameter.Text(timeZone))})",
        _ => throw new InvalidOperationException($"Column '{column.Name}' is {column.Type}, not a date or timestamp; inspection should have refused it."),
    };
}

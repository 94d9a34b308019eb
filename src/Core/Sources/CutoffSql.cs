using Archiver.Core.Postgres;
using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>A cut-off as a value that a time of a row is compared with.</summary>
/// <param name="form">What the column holds.</param>
/// <param name="column">The column as it is.</param>
/// <param name="timeZone">Of times without a zone.</param>
internal sealed class CutoffSql(TimeForm form, ColumnShape column, string timeZone)
{
    /// <summary>Whether the time has to be computed from what the column holds: then it is compared as an instant.</summary>
    public bool IsComputed => form is TimeForm.Text or TimeForm.Uuid or TimeForm.UuidV6 or TimeForm.UuidV7;

    /// <summary>
    /// The instant as what the column is compared with; for a column without zone it is read in the source's time zone. When the clocks go
    /// back, times after the cut-off may read earlier than the cut-off itself: then the earliest of them counts, as long as the shift is at
    /// most three hours, so that no session goes early; it may go an hour late instead.
    /// </summary>
    public string Constant(DateTimeOffset at, SqlParameters parameters)
    {
        if (form != TimeForm.Timestamp && !IsComputed)
            return parameters.Add(EpochTime.Number(form, column, at));
        var instant = parameters.Add(PgParameter.Instant(at));
        return IsComputed
            ? instant
            : column.BaseType switch
            {
                "timestamp with time zone" => instant,
                "timestamp without time zone" => Local(instant, parameters),
                "date" => $"{Local(instant, parameters)}::date",
                _ => throw NoTime(column),
            };
    }

    private string Local(string instant, SqlParameters parameters)
    {
        var zone = parameters.Add(PgParameter.Text(timeZone));
        return $"least({instant} AT TIME ZONE {zone}, ({instant} + interval '3 hours') AT TIME ZONE {zone} - interval '3 hours')";
    }

    public static InvalidOperationException NoTime(ColumnShape column) =>
        new($"Column '{column.Name}' is {column.Type}, not a date or timestamp; inspection should have refused it.");
}

using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Import;

/// <summary>
/// Sets a mapped time of a row (alias t), or makes it one that is not set, in the way in which the application writes the column.
/// </summary>
internal sealed class TimeAssignment(TimeColumn time, TableShape table, string timeZone)
{
    private readonly ColumnShape _column = table[time.Column];

    /// <summary>False of a time inside an id: another time would be another id.</summary>
    public static bool CanBeSet(TimeColumn time) => time.As is not (TimeForm.Uuid or TimeForm.UuidV6 or TimeForm.UuidV7);

    private string Quoted => PgIdentifier.Quote(time.Column);

    /// <param name="instant">SQL of a timestamptz.</param>
    /// <param name="parameters">Takes the zone where one is needed.</param>
    public string Set(string instant, SqlParameters parameters) =>
        $"{Quoted} = "
        + time.As switch
        {
            TimeForm.Timestamp => _column.BaseType switch
            {
                "timestamp with time zone" => instant,
                "timestamp without time zone" => $"({instant} AT TIME ZONE {Zone(parameters)})",
                "date" => $"({instant} AT TIME ZONE {Zone(parameters)})::date",
                _ => throw new InvalidOperationException($"Column '{_column.Name}' is {_column.Type}, not a date or timestamp."),
            },
            TimeForm.Text => TextTime.Of($"{SessionPath.Column("t", time.Column)}::text", instant, Zone(parameters)),
            _ => EpochTime.Of(time.As, _column, instant),
        };

    /// <summary>
    /// Not set: NULL, or where numbers or texts are times what other rows have there. An application that writes 0 may not be able to read
    /// NULL, and one that writes NULL takes 0 for a time.
    /// </summary>
    public string Unset =>
        $"{Quoted} = {(time.At is not null ? "false" : time.As switch
    {
        TimeForm.Text => Usual("''", "="),
        _ when EpochTime.Has(time.As) => Usual("0", "<="),
        _ => "NULL",
    })}";

    private string Usual(string empty, string like)
    {
        var other = SessionPath.Column("o", time.Column);
        return $"CASE WHEN (SELECT a.attnotnull FROM pg_attribute AS a WHERE a.attrelid = {table.Oid} AND a.attname = "
            + $"{PgLiteral.Quote(time.Column)}) THEN {empty} ELSE (SELECT {other} FROM {table.Table.Sql} AS o WHERE {other} IS NULL OR "
            + $"{other} {like} {empty} LIMIT 1) END";
    }

    private string Zone(SqlParameters parameters) => parameters.Add(PgParameter.Text(timeZone));
}

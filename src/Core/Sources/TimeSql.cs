using Archiver.Core.Postgres;
using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>
/// SQL of one time of a row: as an instant, and compared with a cut-off. It is compared as what the column holds, with the cut-off made a
/// value of the column's own type, wherever such values sort by their time: then an index on the column finds the old ones.
/// </summary>
/// <param name="time">The mapped time.</param>
/// <param name="table">Its table as it is.</param>
/// <param name="alias">The row's alias.</param>
/// <param name="timeZone">Of times without a zone.</param>
/// <param name="over">Makes the value of a session of an expression over its rows, where it has none of its own.</param>
internal sealed class TimeSql(TimeColumn time, TableShape table, string alias, string timeZone, Func<string, string>? over = null)
{
    private readonly ColumnShape _column = table[time.Times];
    private readonly CutoffSql _cutoff = new(time.As, table[time.Times], timeZone);

    /// <summary>A time of the session, alias s: of its row, or of its rows the latest, or the first.</summary>
    public static TimeSql Of(SourceSettings source, SourceShape shape, TimeColumn time, bool first = false)
    {
        if (source.Map.Session.From is not { } from)
            return new(time, shape.Session, "s", source.TimeZone);
        var child = source.Map.Children.Single(c => c.Name == from);
        var path = SessionPath.Of(source.Map, shape, child);
        return new(time, shape[from], "t", source.TimeZone, value =>
            $"(SELECT {(first ? "min" : "max")}({value}) FROM {path.From(child)} "
            + $"WHERE {path.Where(KeyMatch.Is(shape.KeyOf(source.Map, "s")))})"
        );
    }

    /// <summary>A time of a child's row, alias t.</summary>
    public static TimeSql Of(SourceSettings source, SourceShape shape, ChildTable child, TimeColumn time) =>
        new(time, shape[child.Name], "t", source.TimeZone);

    /// <summary>What the row holds: a column, or of two the one that is set. Rows are taken in its order.</summary>
    public string Value => IsComputed || over is null ? Row : over(Row);

    private string Row => Held(time, c => SessionPath.Column(alias, c));

    /// <summary>Type of <see cref="Value"/>, to cast to.</summary>
    public string Type => _column.CastType;

    /// <summary>Whether the planner knows nothing of a comparison: it is of what is computed from the column.</summary>
    public bool IsBeyondStatistics => IsComputed || over is not null;

    private bool IsComputed => _cutoff.IsComputed;

    /// <summary>What an index has to begin with, as SQL without an alias.</summary>
    public static string Indexed(TimeColumn time) =>
        time.Or is null ? PgIdentifier.Quote(time.Times) : $"({Held(time, PgIdentifier.Quote)})";

    /// <summary>Whether the time is set, by the column alone.</summary>
    public static string IsSet(TimeColumn time, string alias)
    {
        var value = Held(time, c => SessionPath.Column(alias, c));
        return time.At is not null
            ? SessionPath.Column(alias, time.Column)
            : time.As switch
            {
                _ when EpochTime.Has(time.As) => $"{value} > 0",
                TimeForm.Text => $"{value} <> ''",
                _ => $"{value} IS NOT NULL",
            };
    }

    /// <summary>The negation of <see cref="IsSet"/>.</summary>
    public string IsUnset =>
        time.At is not null
            ? $"{SessionPath.Column(alias, time.Column)} IS NOT TRUE"
            : time.As switch
            {
                TimeForm.Timestamp => $"{Value} IS NULL",
                _ when EpochTime.Has(time.As) => $"({Value} IS NULL OR {Value} <= 0)",
                TimeForm.Text => $"({Value} IS NULL OR {Value} = '')",
                _ => $"{Computed()} IS NULL",
            };

    /// <summary>As timestamptz; NULL where it is not set.</summary>
    public string Instant(SqlParameters parameters) => Instant(() => Zone(parameters));

    /// <summary>The same where a statement takes no parameters.</summary>
    /// <param name="zone">SQL of the time zone of times without one.</param>
    public string Instant(string zone) => Instant(() => zone);

    private string Instant(Func<string> zone)
    {
        var instant = time.As switch
        {
            TimeForm.Timestamp => _column.BaseType switch
            {
                "timestamp with time zone" => Value,
                "timestamp without time zone" => $"({Value} AT TIME ZONE {zone()})",
                "date" => $"({Value}::timestamp AT TIME ZONE {zone()})",
                _ => throw CutoffSql.NoTime(_column),
            },
            TimeForm.Text => TextTime.Instant(_column.BaseType == "character" ? $"{Value}::text" : Value, zone()),
            _ => Computed(),
        };
        if (IsComputed && over is not null)
            instant = over(instant);
        return time.At is null ? instant : $"CASE WHEN {SessionPath.Column(alias, time.Column)} THEN {instant} END";
    }

    /// <summary>
    /// Something is set and is no time; null where the column's type holds nothing else. A text without a digit, such as "never", dates
    /// nothing.
    /// </summary>
    public string? Unreadable(SqlParameters parameters) =>
        time.As switch
        {
            TimeForm.Timestamp => null,
            TimeForm.Text => $"({Value} ~ '[0-9]' AND {Instant(parameters)} IS NULL)",
            _ => $"({IsSet(time, alias)} AND {Instant(parameters)} IS NULL)",
        };

    /// <summary>Set, finite and not after this instant.</summary>
    public string Known(DateTimeOffset now, SqlParameters parameters) =>
        Flagged($"{Compared(parameters)} > {Lowest} AND {Compared(parameters)} <= {_cutoff.Constant(now, parameters)}");

    /// <summary>Before this instant; NULL or true where it is not set.</summary>
    public string Old(DateTimeOffset cutoff, SqlParameters parameters) =>
        $"{Compared(parameters)} < {_cutoff.Constant(cutoff, parameters)}";

    /// <summary>Set and before this instant.</summary>
    public string SetAndOld(DateTimeOffset cutoff, SqlParameters parameters) =>
        Flagged($"{Old(cutoff, parameters)} AND {Compared(parameters)} > {Lowest}");

    /// <summary>Not set, or before this instant.</summary>
    public string UnsetOrOld(DateTimeOffset cutoff, SqlParameters parameters) => $"({IsUnset} OR {Old(cutoff, parameters)})";

    /// <summary>Set and not before this instant.</summary>
    public string Young(DateTimeOffset cutoff, SqlParameters parameters) =>
        $"{Compared(parameters)} >= {_cutoff.Constant(cutoff, parameters)}";

    /// <summary>
    /// True for every row whose time is before this instant, and for few others: a comparison of the column itself, for an index to serve.
    /// Null where <see cref="Old"/> is such a comparison, or the column's order is not that of time.
    /// </summary>
    public string? Narrowing(DateTimeOffset cutoff) =>
        time.As switch
        {
            _ when over is not null => null,
            TimeForm.Text => $"{Value} < '{TextTime.Bound(cutoff)}'",
            _ => UuidTime.Bound(time.As, _column, cutoff) is { } bound ? $"{Value} < {bound}" : null,
        };

    private static string Held(TimeColumn time, Func<string, string> column) =>
        time.Or is null ? column(time.Times) : $"coalesce({OrNull(time.As, column(time.Column))}, {OrNull(time.As, column(time.Or))})";

    private static string OrNull(TimeForm form, string column) =>
        form switch
        {
            _ when EpochTime.Has(form) => $"nullif({column}, 0)",
            TimeForm.Text => $"nullif({column}, '')",
            _ => column,
        };

    private string Computed() => IsComputed ? UuidTime.Instant(time.As, Value) : EpochTime.Instant(time.As, Value);

    private string Compared(SqlParameters parameters) => IsComputed ? Instant(parameters) : Value;

    private string Lowest => time.As == TimeForm.Timestamp || IsComputed ? "'-infinity'" : "0";

    private string Flagged(string condition) =>
        time.At is null ? $"({condition})" : $"({SessionPath.Column(alias, time.Column)} AND {condition})";

    private string Zone(SqlParameters parameters) => parameters.Add(PgParameter.Text(timeZone));
}

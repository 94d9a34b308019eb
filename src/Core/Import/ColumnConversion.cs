using Archiver.Core.Postgres;

namespace Archiver.Core.Import;

/// <summary>
/// How archived values of a column become values of its type of today, and how the database proves that nothing was lost.
/// </summary>
internal sealed record ColumnConversion
{
    private static readonly string[] Times =
    [
        "timestamp without time zone",
        "timestamp with time zone",
        "date",
        "time without time zone",
        "time with time zone",
    ];

    private ColumnConversion() { }

    /// <summary>The same type, or texts that must be equal as they are.</summary>
    public static ColumnConversion None { get; } = new();

    /// <summary>Type of the column in the staging table; null for the type of today.</summary>
    public string? StagedAs { get; private init; }

    /// <summary>SQL of the value to insert, made of the staged value.</summary>
    public Func<string, string> In { get; private init; } = v => v;

    /// <summary>SQL of the value in the archived type, made of the value in the table.</summary>
    public Func<string, string> Back { get; private init; } = v => v;

    /// <summary>SQL that holds when the value in the table stands for one archived value only; null where equal texts say it.</summary>
    public Func<string, string>? Exact { get; private init; }

    /// <summary>Whether the value in the table is compared with what the staged value becomes, because it cannot be turned back.</summary>
    public bool ByValue { get; private init; }

    /// <summary>Whether an object with a key twice is refused: it would lose one of the two.</summary>
    public bool UniqueKeys { get; private init; }

    /// <summary>Why a value may not be converted at all; null where it may.</summary>
    public string? Refusal { get; private init; }

    /// <summary>Through the server's cast: what comes back must be the archived text, and lead to the same value again.</summary>
    public static ColumnConversion Cast(string archived, string today) =>
        new() { Back = v => $"({v})::{archived}", Exact = v => Same($"(({v})::{archived})::{today}", v) };

    /// <summary>As the server's cast makes it, lost or not: a person accepted that.</summary>
    public static ColumnConversion Accepted(string archived, string today) => ByCast(archived, today, uniqueKeys: false);

    /// <summary>json to jsonb: blanks and the order of keys are no part of the value, a key that is there twice is.</summary>
    public static ColumnConversion Json(string archived, string today) => ByCast(archived, today, uniqueKeys: true);

    /// <summary>
    /// Whether both are times of which only one names instants, so that the server's cast would read the other in the connection's time
    /// zone.
    /// </summary>
    public static bool CrossesZones(string archivedBase, string todayBase) =>
        IsTime(archivedBase) && IsTime(todayBase) && HasZone(archivedBase) != HasZone(todayBase);

    /// <summary>Between instants and local times of <paramref name="timeZone"/>, by the types without modifiers.</summary>
    /// <param name="accepted">Whether a person accepted that some instants are not what they were.</param>
    public static ColumnConversion Zoned(
        string archivedBase,
        string archived,
        string todayBase,
        string today,
        string timeZone,
        bool accepted
    )
    {
        var zone = $" AT TIME ZONE {PgLiteral.Quote(timeZone)}";
        if (
            (archivedBase, todayBase)
            is not (

                ("timestamp without time zone" or "date", "timestamp with time zone")
                or
                ("timestamp with time zone", "timestamp without time zone" or "date")
            )
        )
            return new()
            {
                Refusal =
                    $"was {archived} and is {today} today: an instant cannot be made of one and a local time of the other without loss",
            };
        // A date is its midnight in the zone; "timestamp" alone is the server's keyword, whatever types the application has.
        Func<string, string> into = v =>
            $"(({v})::timestamp{(archivedBase == "timestamp with time zone" ? " with time zone" : "")}{zone})::{today}";
        if (accepted)
            return new()
            {
                StagedAs = archived,
                In = into,
                ByValue = true,
            };
        string Back(string v) =>
            $"(({v})::timestamp{(todayBase == "timestamp with time zone" ? " with time zone" : "")}{zone})::{archived}";
        var ambiguous = archivedBase == "timestamp without time zone";
        return new()
        {
            StagedAs = archived,
            In = into,
            Back = Back,
            Exact = v => Same(into(Back(v)), v) + (ambiguous ? $" AND {IsOnlyInstant(v, zone)}" : ""),
        };
    }

    /// <summary>
    /// Whether two values are the same to the byte. The cast keeps the parser from comparing field by field, for which json has no
    /// operator.
    /// </summary>
    public static string Same(string one, string other) => $"ROW({one})::record OPERATOR(pg_catalog.*=) ROW({other})::record";

    private static ColumnConversion ByCast(string archived, string today, bool uniqueKeys) =>
        new()
        {
            StagedAs = archived,
            In = v => $"({v})::{today}",
            ByValue = true,
            UniqueKeys = uniqueKeys,
        };

    /// <summary>
    /// When clocks go back, one local time is two instants, and the server takes the later one. The other is the one with the offset
    /// of the day before: where that offset leads to another instant of the same local time, nobody knows which one it was.
    /// </summary>
    private static string IsOnlyInstant(string v, string zone)
    {
        var instant = $"({v})::timestamp with time zone";
        var dayBefore = $"({instant} - interval '24 hours')";
        var offset = $"(({dayBefore}{zone}) - ({dayBefore} AT TIME ZONE 'UTC'))";
        var other = $"((({instant}{zone}) - {offset}) AT TIME ZONE 'UTC')";
        return $"CASE WHEN isfinite({instant}) THEN {other} = {instant} OR ({other}{zone}) <> ({instant}{zone}) ELSE true END";
    }

    private static bool IsTime(string type) => Times.Contains(type.Replace("[]", "", StringComparison.Ordinal));

    private static bool HasZone(string type) => type.Contains("with time zone", StringComparison.Ordinal);
}

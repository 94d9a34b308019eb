using System.Globalization;
using System.Text.RegularExpressions;

namespace Archiver.Core.Query;

/// <summary>
/// A type that a column of a view has in DuckDB. What it lacks, or would not keep exactly, is text as it stands in the document.
/// </summary>
/// <param name="Kind">Which type.</param>
/// <param name="Precision">Digits of a <see cref="DuckKind.Decimal"/>.</param>
/// <param name="Scale">Those of them after the point.</param>
internal readonly partial record struct ColumnType(DuckKind Kind, byte Precision = 0, byte Scale = 0)
{
    /// <summary>Most digits of an exact number in DuckDB.</summary>
    private const int MaxDigits = 38;

    public static ColumnType Text { get; } = new(DuckKind.Text);

    public static ColumnType Integer { get; } = new(DuckKind.Integer);

    public static ColumnType Bigint { get; } = new(DuckKind.Bigint);

    public static ColumnType TimestampTz { get; } = new(DuckKind.TimestampTz);

    /// <summary>The type for one of PostgreSQL as <c>format_type</c> writes it.</summary>
    public static ColumnType Of(string type) =>
        WithoutPrecision().Replace(type, "") switch
        {
            "boolean" => new(DuckKind.Boolean),
            "smallint" => new(DuckKind.Smallint),
            "integer" => Integer,
            "bigint" => Bigint,
            "real" => new(DuckKind.Real),
            "double precision" => new(DuckKind.Double),
            "date" => new(DuckKind.Date),
            "time without time zone" => new(DuckKind.Time),
            "timestamp without time zone" => new(DuckKind.Timestamp),
            "timestamp with time zone" => TimestampTz,
            "uuid" => new(DuckKind.Uuid),
            "json" or "jsonb" => new(DuckKind.Json),
            _ => Numeric().Match(type) is { Success: true } numeric ? Decimal(numeric) : Text,
        };

    /// <summary>The type of a column that has two in different documents: the wider whole number, else text.</summary>
    public ColumnType With(ColumnType other) =>
        this == other ? this
        : Kind is DuckKind.Smallint or DuckKind.Integer or DuckKind.Bigint
        && other.Kind is DuckKind.Smallint or DuckKind.Integer or DuckKind.Bigint
            ? Kind > other.Kind ? this
                : other
        : Text;

    private static ColumnType Decimal(Match numeric)
    {
        var precision = int.Parse(numeric.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        var scale = numeric.Groups[2].Success ? int.Parse(numeric.Groups[2].ValueSpan, CultureInfo.InvariantCulture) : 0;
        return precision <= MaxDigits && scale >= 0 && scale <= precision ? new(DuckKind.Decimal, (byte)precision, (byte)scale) : Text;
    }

    // timestamp(3) with time zone
    [GeneratedRegex(@"(?<=^time(?:stamp)?)\(\d\)(?= with)")]
    private static partial Regex WithoutPrecision();

    [GeneratedRegex(@"^numeric\((\d+)(?:,(-?\d+))?\)$")]
    private static partial Regex Numeric();
}

/// <summary>The types of DuckDB that are used; whole numbers from narrow to wide.</summary>
internal enum DuckKind
{
    Text,
    Boolean,
    Smallint,
    Integer,
    Bigint,
    Real,
    Double,
    Decimal,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Uuid,
    Json,
}

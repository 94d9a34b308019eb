namespace Archiver.Core.Postgres;

/// <summary>How a column's text output stands in a JSON document (docs/format.md).</summary>
internal enum ColumnKind
{
    /// <summary>As a JSON string; the default for every type not named below.</summary>
    Text,

    /// <summary>json and jsonb: embedded as they are.</summary>
    Json,

    /// <summary>int2, int4, int8, numeric, float4, float8: digits as they are, NaN and infinity as strings.</summary>
    Number,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Boolean,

    /// <summary>timestamp and timestamptz: ISO text, <c>T</c> between date and time, <c>Z</c> for <c>+00</c>.</summary>
    Timestamp,
}

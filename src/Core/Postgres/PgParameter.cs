using Npgsql;
using NpgsqlTypes;

namespace Archiver.Core.Postgres;

/// <summary>
/// Positional parameters with their exact PostgreSQL type: a guessed type can change the operator, and with it the index or the result.
/// </summary>
internal static class PgParameter
{
    public static NpgsqlParameter Text(string? value) => Of(value, NpgsqlDbType.Text);

    /// <summary>A text that the server reads as a value of the column it is assigned to, whatever that column's type is.</summary>
    public static NpgsqlParameter Untyped(string? value) => Of(value, NpgsqlDbType.Unknown);

    public static NpgsqlParameter Texts(IEnumerable<string?> values) => Of(values.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);

    public static NpgsqlParameter TextsOrNull(IEnumerable<string>? values) => Of(values?.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);

    public static NpgsqlParameter Interval(TimeSpan value) => Of(value, NpgsqlDbType.Interval);

    public static NpgsqlParameter Bigint(long? value) => Of(value, NpgsqlDbType.Bigint);

    public static NpgsqlParameter Bigints(IEnumerable<long> values) => Of(values.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bigint);

    /// <summary>The same values as an <c>int8multirange</c>: a million neighbours are one range.</summary>
    public static NpgsqlParameter Ranges(IEnumerable<long> values)
    {
        List<NpgsqlRange<long>> ranges = [];
        foreach (var value in values.Order())
        {
            if (ranges.Count > 0 && ranges[^1].UpperBound >= value)
                ranges[^1] = new(ranges[^1].LowerBound, true, value + 1, false);
            else
                ranges.Add(new(value, true, value + 1, false));
        }
        return Of(ranges.ToArray(), NpgsqlDbType.BigIntMultirange);
    }

    public static NpgsqlParameter Numeric(decimal value) => Of(value, NpgsqlDbType.Numeric);

    public static NpgsqlParameter Double(double value) => Of(value, NpgsqlDbType.Double);

    public static NpgsqlParameter Int(int? value) => Of(value, NpgsqlDbType.Integer);

    public static NpgsqlParameter Ints(IEnumerable<int> values) => Of(values.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Integer);

    public static NpgsqlParameter Bools(IEnumerable<bool> values) => Of(values.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Boolean);

    public static NpgsqlParameter Bool(bool value) => Of(value, NpgsqlDbType.Boolean);

    public static NpgsqlParameter Uuid(Guid value) => Of(value, NpgsqlDbType.Uuid);

    public static NpgsqlParameter Uuids(IEnumerable<Guid> values) => Of(values.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Uuid);

    public static NpgsqlParameter UuidOrNull(Guid? value) => Of(value, NpgsqlDbType.Uuid);

    public static NpgsqlParameter Bytes(byte[] value) => Of(value, NpgsqlDbType.Bytea);

    public static NpgsqlParameter BytesArray(IEnumerable<byte[]> values) => Of(values.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bytea);

    public static NpgsqlParameter Json(string? value) => Of(value, NpgsqlDbType.Jsonb);

    public static NpgsqlParameter Oid(uint value) => Of(value, NpgsqlDbType.Oid);

    public static NpgsqlParameter Oids(IEnumerable<uint> values) => Of(values.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Oid);

    /// <summary>A finite instant, microseconds.</summary>
    public static NpgsqlParameter Instant(DateTimeOffset value) => Of(value.UtcDateTime, NpgsqlDbType.TimestampTz);

    public static NpgsqlParameter InstantOrNull(DateTimeOffset? value) => Of(value?.UtcDateTime, NpgsqlDbType.TimestampTz);

    private static NpgsqlParameter Of(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };
}

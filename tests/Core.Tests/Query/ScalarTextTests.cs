using System.Text;
using Archiver.Core.Query;

namespace Archiver.Core.Tests.Query;

/// <summary>Values of a document as DuckDB keeps them: exactly, or not at all.</summary>
public sealed class ScalarTextTests
{
    [Theory]
    [InlineData("1970-01-01", 0)]
    [InlineData("2000-02-29", 11016)]
    [InlineData("0001-01-01", -719162)]
    [InlineData("1969-12-31", -1)]
    [InlineData("10000-01-01", 2932897)]
    [InlineData("infinity", int.MaxValue)]
    [InlineData("-infinity", -int.MaxValue)]
    public void Reads_dates(string text, int days)
    {
        Assert.True(ScalarText.TryDate(Utf8(text), out var read));
        Assert.Equal(days, read);
    }

    [Theory]
    [InlineData("0044-03-15 BC")]
    [InlineData("2026-1-1")]
    [InlineData("")]
    [InlineData("2026-13-01")]
    public void Refuses_dates_that_are_none(string text) => Assert.False(ScalarText.TryDate(Utf8(text), out _));

    [Theory]
    [InlineData("2026-11-29T13:43:19.000001Z", true, 1795959799000001)]
    [InlineData("2026-11-29T13:43:19.5", false, 1795959799500000)]
    [InlineData("1969-12-31T23:59:59.999999Z", true, -1)]
    [InlineData("infinity", true, long.MaxValue)]
    [InlineData("-infinity", false, -long.MaxValue)]
    public void Reads_timestamps_to_the_microsecond(string text, bool zoned, long micros)
    {
        Assert.True(ScalarText.TryTimestamp(Utf8(text), zoned, out var read));
        Assert.Equal(micros, read);
    }

    [Theory]
    [InlineData("294276-12-31T23:59:59Z", true)]
    [InlineData("2026-11-29T13:43:19", true)]
    [InlineData("2026-11-29T13:43:19Z", false)]
    [InlineData("0044-03-15 12:00:00+00 BC", true)]
    public void Refuses_timestamps_that_DuckDB_has_no_place_for(string text, bool zoned) =>
        Assert.False(ScalarText.TryTimestamp(Utf8(text), zoned, out _));

    [Theory]
    [InlineData("0.10", 4, 2, 10)]
    [InlineData("-12.3", 4, 2, -1230)]
    [InlineData("99.99", 4, 2, 9999)]
    [InlineData("1.5000", 4, 1, 15)]
    [InlineData("7", 3, 0, 7)]
    public void Reads_decimals_exactly(string text, int precision, int scale, long digits)
    {
        Assert.True(ScalarText.TryDecimal(Utf8(text), precision, scale, out var read));
        Assert.Equal((Int128)digits, read);
    }

    [Theory]
    [InlineData("NaN", 4, 2)]
    [InlineData("1.555", 4, 2)]
    [InlineData("100", 4, 2)]
    [InlineData("1e3", 9, 2)]
    [InlineData("999999999999999999999999999999999999999", 38, 0)]
    public void Refuses_decimals_that_would_lose_a_digit(string text, int precision, int scale) =>
        Assert.False(ScalarText.TryDecimal(Utf8(text), precision, scale, out _));

    [Theory]
    [InlineData("numeric(12,3)", DuckKind.Decimal)]
    [InlineData("numeric(39,0)", DuckKind.Text)]
    [InlineData("numeric", DuckKind.Text)]
    [InlineData("numeric(3,-2)", DuckKind.Text)]
    [InlineData("timestamp(3) with time zone", DuckKind.TimestampTz)]
    [InlineData("time without time zone", DuckKind.Time)]
    [InlineData("time with time zone", DuckKind.Text)]
    [InlineData("character varying(20)", DuckKind.Text)]
    [InlineData("public.vector(3)", DuckKind.Text)]
    [InlineData("integer[]", DuckKind.Text)]
    [InlineData("jsonb", DuckKind.Json)]
    public void Knows_the_types_that_both_have(string type, object kind) => Assert.Equal(kind, ColumnType.Of(type).Kind);

    [Fact]
    public void Makes_one_type_of_two()
    {
        Assert.Equal(ColumnType.Bigint, ColumnType.Integer.With(ColumnType.Bigint));
        Assert.Equal(ColumnType.Bigint, ColumnType.Bigint.With(ColumnType.Of("smallint")));
        Assert.Equal(ColumnType.Text, ColumnType.Integer.With(ColumnType.Text));
        Assert.Equal(ColumnType.Text, ColumnType.Of("numeric(4,2)").With(ColumnType.Of("numeric(6,2)")));
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}

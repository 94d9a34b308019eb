using System.Buffers;
using System.Text;
using System.Text.Json;
using Archiver.Core.Export;
using Archiver.Core.Import;
using Archiver.Core.Postgres;
using Archiver.Core.Tests.Export;
using CsCheck;

namespace Archiver.Core.Tests.Restore;

/// <summary>What the export makes of a COPY field, the restore turns back into the same bytes.</summary>
public sealed class CopyFieldTests
{
    [Fact]
    public void Text_comes_back_byte_for_byte_whatever_is_in_it() =>
        CopyTexts.Any.Sample(text => AssertRoundTrip(CopyTexts.Field(text), ColumnKind.Text), iter: 20_000);

    [Fact]
    public void A_timestamp_comes_back_byte_for_byte_from_every_era_and_offset() =>
        CopyTexts.Timestamp.Sample(text => AssertRoundTrip(Encoding.UTF8.GetBytes(text), ColumnKind.Timestamp), iter: 20_000);

    [Fact]
    public void Json_comes_back_byte_for_byte_on_one_line() =>
        CopyTexts.Json.Sample(json => AssertRoundTrip(CopyTexts.Field(json), ColumnKind.Json), iter: 5_000);

    [Theory]
    [InlineData("0", ColumnKind.Number)]
    [InlineData("-9223372036854775808", ColumnKind.Number)]
    [InlineData("123456789012345678901234567890.000000000000000000001", ColumnKind.Number)]
    [InlineData("1e-307", ColumnKind.Number)]
    [InlineData("NaN", ColumnKind.Number)]
    [InlineData("-Infinity", ColumnKind.Number)]
    [InlineData("t", ColumnKind.Boolean)]
    [InlineData("f", ColumnKind.Boolean)]
    [InlineData("2026-11-21 02:00:00.123456+00", ColumnKind.Timestamp)]
    [InlineData("2026-11-21 02:00:00", ColumnKind.Timestamp)]
    [InlineData("0044-03-15 12:00:00+00 BC", ColumnKind.Timestamp)]
    [InlineData("infinity", ColumnKind.Timestamp)]
    [InlineData("-infinity", ColumnKind.Timestamp)]
    [InlineData("294276-12-31 23:59:59.999999+00", ColumnKind.Timestamp)]
    [InlineData("null", ColumnKind.Json)]
    [InlineData("\"a \\\\\" quote\"", ColumnKind.Json)]
    [InlineData("{\"b\":  1.50, \"a\": 1, \"a\": 2, \"s\": \"\\\\ud800 \\\\\\\\ \\\\n\"}", ColumnKind.Json)]
    [InlineData("[1,\\t2]", ColumnKind.Json)]
    [InlineData("\\r\\n {\\t\"a\\\\n\":\\n1}\\t\\r ", ColumnKind.Json)]
    [InlineData("\\t \\t  \\t1 ", ColumnKind.Json)]
    public void Each_kind_of_value_comes_back_byte_for_byte(string copy, object kind) =>
        AssertRoundTrip(Encoding.UTF8.GetBytes(copy), (ColumnKind)kind);

    [Fact]
    public void Escapes_that_another_writer_chose_mean_the_same() =>
        Assert.Equal(
            "é \\n 😀 \" / \\\\ \u0001",
            Restored("\"\\u00e9 \\u000a \\ud83d\\ude00 \\u0022 \\/ \\u005c \\u0001\"", ColumnKind.Text)
        );

    [Theory]
    [InlineData("\"\\ud800\"")]
    [InlineData("\"\\ud800\\u0041\"")]
    [InlineData("\"\\udc00\"")]
    [InlineData("\"\\u0000\"")]
    public void Text_that_no_database_can_hold_is_refused(string json) =>
        Assert.Throws<InvalidDataException>(() => Restored(json, ColumnKind.Text));

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[1]")]
    public void A_json_value_in_a_column_that_is_not_json_is_refused(string json) =>
        Assert.Throws<InvalidDataException>(() => Restored(json, ColumnKind.Text));

    private static void AssertRoundTrip(byte[] field, ColumnKind kind)
    {
        var json = new ArrayBufferWriter<byte>();
        RowJson.WriteValue(json, field, kind);
        using (JsonDocument.Parse(json.WrittenMemory))
            Assert.Equal(Encoding.UTF8.GetString(field), Restored(Encoding.UTF8.GetString(json.WrittenSpan), kind));
    }

    private static string Restored(string json, ColumnKind kind)
    {
        var output = new ArrayBufferWriter<byte>();
        CopyField.Write(output, Encoding.UTF8.GetBytes(json), kind);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}

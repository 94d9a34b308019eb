using System.Buffers;
using System.Text;
using System.Text.Json;
using Archiver.Core.Export;
using Archiver.Core.Postgres;
using CsCheck;

namespace Archiver.Core.Tests.Export;

public sealed class RowJsonTests
{
    [Theory]
    [InlineData("plain text", "\"plain text\"")]
    [InlineData("", "\"\"")]
    [InlineData("a \"quoted\" word", "\"a \\\"quoted\\\" word\"")]
    [InlineData(@"tab\t line\n return\r back\b feed\f", "\"tab\\t line\\n return\\r back\\b feed\\f\"")]
    [InlineData(@"vertical\vtab", "\"vertical\\u000btab\"")]
    [InlineData(@"one \\ backslash", "\"one \\\\ backslash\"")]
    [InlineData(@"not a null: \\N", "\"not a null: \\\\N\"")]
    [InlineData("control \u0001 and \u001f", "\"control \\u0001 and \\u001f\"")]
    [InlineData("Grüße 🎉 \u4f60\u007f", "\"Grüße 🎉 \u4f60\u007f\"")]
    public void Writes_text_as_a_json_string(string copy, string json) => Assert.Equal(json, Write(copy, ColumnKind.Text));

    [Theory]
    [InlineData("0")]
    [InlineData("-17")]
    [InlineData("9223372036854775807")]
    [InlineData("123456789012345678901234567890.000000000000000000001")]
    [InlineData("1.7976931348623157e+308")]
    [InlineData("-0")]
    public void Embeds_finite_numbers_as_they_are(string number) => Assert.Equal(number, Write(number, ColumnKind.Number));

    [Theory]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("-Infinity")]
    public void Writes_numbers_that_json_lacks_as_strings(string number) => Assert.Equal($"\"{number}\"", Write(number, ColumnKind.Number));

    [Theory]
    [InlineData("t", "true")]
    [InlineData("f", "false")]
    public void Writes_booleans(string copy, string json) => Assert.Equal(json, Write(copy, ColumnKind.Boolean));

    [Theory]
    [InlineData("2026-11-21 02:00:00.123456+00", "2026-11-21T02:00:00.123456Z")]
    [InlineData("2026-11-21 02:00:00", "2026-11-21T02:00:00")]
    [InlineData("294276-12-31 23:59:59.999999+00", "294276-12-31T23:59:59.999999Z")]
    [InlineData("0044-03-15 12:00:00+00 BC", "0044-03-15 12:00:00+00 BC")]
    [InlineData("infinity", "infinity")]
    [InlineData("-infinity", "-infinity")]
    public void Writes_timestamps_as_iso_text(string copy, string json) => Assert.Equal($"\"{json}\"", Write(copy, ColumnKind.Timestamp));

    [Theory]
    [InlineData("null", "null")]
    [InlineData("""{"a": [1, 1.50, "x\\\\ny"], "a": 2}""", """{"a": [1, 1.50, "x\\ny"], "a": 2}""")]
    [InlineData("""{  "a":\t1 }""", "{  \"a\":\t1 }")]
    [InlineData("""{\n  "a":\t1\r\n}""", "\t \t  \t{\t   \"a\":\t\t\t1\t\t \t }")]
    [InlineData("""\t \t  \t1""", "\t \t  \t\t\t\t \t\t\t  \t\t\t1")]
    public void Embeds_json_on_one_line(string copy, string json)
    {
        Assert.Equal(json, Write(copy, ColumnKind.Json));
        JsonDocument.Parse(json).Dispose();
    }

    [Theory]
    [InlineData(@"a\q")]
    [InlineData(@"a\")]
    public void Refuses_an_escape_that_copy_does_not_write(string copy)
    {
        Assert.Throws<InvalidDataException>(() => Write(copy, ColumnKind.Text));
        Assert.Throws<InvalidDataException>(() => Write(copy, ColumnKind.Json));
    }

    [Fact]
    public void Writes_every_character_so_that_a_json_reader_gives_it_back()
    {
        var all = string.Concat(Enumerable.Range(1, 0xD7FF).Select(c => (char)c)) + "\U0001F680\U0010FFFF";
        var copy = all.Replace("\\", @"\\", StringComparison.Ordinal)
            .Replace("\b", @"\b", StringComparison.Ordinal)
            .Replace("\f", @"\f", StringComparison.Ordinal)
            .Replace("\n", @"\n", StringComparison.Ordinal)
            .Replace("\r", @"\r", StringComparison.Ordinal)
            .Replace("\t", @"\t", StringComparison.Ordinal)
            .Replace("\v", @"\v", StringComparison.Ordinal);

        var json = Write(copy, ColumnKind.Text);

        Assert.Equal(all, JsonSerializer.Deserialize<string>(json));
        Assert.DoesNotContain('\n', json);
    }

    [Fact]
    public void Writes_text_that_a_json_reader_gives_back_on_one_line() =>
        CopyTexts.Any.Sample(
            text =>
            {
                var json = Write(Encoding.UTF8.GetString(CopyTexts.Field(text)), ColumnKind.Text);
                Assert.Equal(text, JsonSerializer.Deserialize<string>(json));
                Assert.DoesNotContain('\n', json);
            },
            iter: 20_000
        );

    [Fact]
    public void Embeds_json_that_a_reader_takes_for_the_same_value() =>
        CopyTexts.Json.Sample(
            json =>
            {
                var embedded = Write(Encoding.UTF8.GetString(CopyTexts.Field(json)), ColumnKind.Json);
                Assert.True(
                    JsonElement.DeepEquals(JsonSerializer.Deserialize<JsonElement>(json), JsonSerializer.Deserialize<JsonElement>(embedded))
                );
                Assert.DoesNotContain('\n', embedded);
            },
            iter: 5_000
        );

    [Fact]
    public void Writes_the_same_in_pieces_of_any_length() =>
        Gen.Select(CopyTexts.Any, Gen.Int[1, 40])
            .Sample(
                (text, length) =>
                {
                    var copy = CopyTexts.Field(text);
                    Assert.All(new[] { ColumnKind.Text, ColumnKind.Json }, kind =>
                    {
                        var (whole, pieces) = (new ArrayBufferWriter<byte>(), new ArrayBufferWriter<byte>());
                        var spelled = kind == ColumnKind.Json && RowJson.BeginEmbedded(new(), copy);
                        RowJson.WritePiece(whole, copy, kind, spelled);
                        for (var at = 0; at < copy.Length; )
                        {
                            var rest = copy.AsSpan(at);
                            var piece = rest[..RowJson.PieceLength(rest, length)];
                            RowJson.WritePiece(pieces, piece, kind, spelled);
                            at += piece.Length;
                        }
                        Assert.Equal(whole.WrittenSpan, pieces.WrittenSpan);
                    });
                },
                iter: 10_000
            );

    private static string Write(string copy, ColumnKind kind)
    {
        var output = new ArrayBufferWriter<byte>();
        RowJson.WriteValue(output, Encoding.UTF8.GetBytes(copy), kind);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}

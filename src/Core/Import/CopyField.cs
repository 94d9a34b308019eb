using System.Buffers;
using System.Globalization;
using System.Text;
using Archiver.Core.Documents;
using Archiver.Core.Postgres;

namespace Archiver.Core.Import;

/// <summary>
/// Turns a JSON value of a document back into the COPY text it came from, escape for escape: what goes into the database can then be
/// compared byte for byte with what comes out of it. The counterpart of the export's RowJson; numbers and json values stay the bytes they
/// are.
/// </summary>
internal static class CopyField
{
    /// <summary>Writes one value.</summary>
    /// <param name="output">Takes the field, without a separator.</param>
    /// <param name="value">The raw JSON of the value.</param>
    /// <param name="kind">What the column was, or is where the document cannot say.</param>
    /// <exception cref="InvalidDataException">A value that no export writes for such a column.</exception>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> value, ColumnKind kind)
    {
        if (kind == ColumnKind.Json)
            WriteEmbedded(output, JsonBreaks.Restore(value));
        else if (value[0] == '"' && kind == ColumnKind.Timestamp)
            WriteTimestamp(output, value[1..^1]);
        else if (value[0] == '"')
            WriteText(output, value[1..^1]);
        else if (value[0] is (byte)'t' or (byte)'f')
            output.Write(kind == ColumnKind.Boolean ? value[..1] : value);
        else if (value[0] is (byte)'-' or (>= (byte)'0' and <= (byte)'9'))
            output.Write(value);
        else
            throw new InvalidDataException("The document has a json value in a column that is not json.");
    }

    // PostgreSQL reads the ISO form too; it is turned back because the column may be text today.
    private static void WriteTimestamp(IBufferWriter<byte> output, ReadOnlySpan<byte> text)
    {
        var t = text.IndexOf((byte)'T');
        if (t < 1 || !char.IsAsciiDigit((char)text[t - 1]))
        {
            WriteText(output, text);
            return;
        }
        output.Write(text[..t]);
        output.Write(" "u8);
        var time = text[(t + 1)..];
        WriteText(output, time.EndsWith("Z"u8) ? time[..^1] : time);
        if (time.EndsWith("Z"u8))
            output.Write("+00"u8);
    }

    private static void WriteText(IBufferWriter<byte> output, ReadOnlySpan<byte> text)
    {
        while (text.IndexOf((byte)'\\') is var at and >= 0)
        {
            output.Write(text[..at]);
            var escape = text[at + 1];
            var length = 2;
            if (escape is (byte)'"' or (byte)'/')
                output.Write([escape]);
            else if (escape != 'u')
                output.Write(text.Slice(at, 2)); // \b \f \n \r \t \\ are COPY's as they stand
            else
                length = WriteCodePoint(output, text[at..]);
            text = text[(at + length)..];
        }
        output.Write(text);
    }

    private static int WriteCodePoint(IBufferWriter<byte> output, ReadOnlySpan<byte> escape)
    {
        var (first, length) = (Hex(escape), 6);
        if (!Rune.TryCreate(first, out var rune))
        {
            if (escape.Length < 12 || escape[6] != '\\' || escape[7] != 'u' || !Rune.TryCreate(first, Hex(escape[6..]), out rune))
                throw new InvalidDataException("The document has half a surrogate pair in a text, which no database can hold.");
            length = 12;
        }
        if (rune.Value == 0)
            throw new InvalidDataException("The document has a NUL in a text, which no database can hold.");
        Span<byte> bytes = stackalloc byte[4];
        output.Write(
            rune.Value switch
            {
                '\b' => "\\b"u8,
                '\f' => "\\f"u8,
                '\n' => "\\n"u8,
                '\r' => "\\r"u8,
                '\t' => "\\t"u8,
                '\v' => "\\v"u8,
                '\\' => "\\\\"u8,
                _ => bytes[..rune.EncodeToUtf8(bytes)],
            }
        );
        return length;
    }

    private static char Hex(ReadOnlySpan<byte> escape) =>
        (char)ushort.Parse(escape.Slice(2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    // JSON has no raw control bytes but blanks between tokens.
    private static void WriteEmbedded(IBufferWriter<byte> output, ReadOnlySpan<byte> json)
    {
        while (json.IndexOfAny("\\\t\n\r"u8) is var at and >= 0)
        {
            output.Write(json[..at]);
            output.Write(
                json[at] switch
                {
                    (byte)'\t' => "\\t"u8,
                    (byte)'\n' => "\\n"u8,
                    (byte)'\r' => "\\r"u8,
                    _ => "\\\\"u8,
                }
            );
            json = json[(at + 1)..];
        }
        output.Write(json);
    }
}

using System.Buffers;
using Archiver.Core.Documents;
using Archiver.Core.Postgres;

namespace Archiver.Core.Export;

/// <summary>
/// Turns a field of COPY text into a JSON value, byte for byte (docs/format.md). COPY's <c>\b \f \n \r \t \\</c> are JSON escapes as they
/// stand; only quotes, <c>\v</c> and raw control bytes need another form, so most values are copied in one piece.
/// </summary>
internal static class RowJson
{
    private static readonly SearchValues<byte> Special = SearchValues.Create([
        .. Enumerable.Range(0, 32).Select(b => (byte)b),
        (byte)'"',
        (byte)'\\',
    ]);

    /// <summary>Writes one value that is not SQL NULL.</summary>
    /// <exception cref="InvalidDataException">An escape that COPY does not write.</exception>
    public static void WriteValue(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> field, ColumnKind kind)
    {
        switch (kind)
        {
            case ColumnKind.Json:
                WriteEmbedded(output, field, BeginEmbedded(output, field));
                break;
            case ColumnKind.Number when IsFinite(field):
                output.Write(field);
                break;
            case ColumnKind.Boolean:
                output.Write(field is [(byte)'t'] ? "true"u8 : "false"u8);
                break;
            case ColumnKind.Timestamp:
                WriteTimestamp(output, field);
                break;
            default:
                WriteString(output, field);
                break;
        }
    }

    /// <summary>Length of the next piece of a long field: about <paramref name="length"/>, never in the middle of an escape.</summary>
    public static int PieceLength(ReadOnlySpan<byte> field, int length)
    {
        if (field.Length <= length)
            return field.Length;
        var backslashes = length - field[..length].TrimEnd((byte)'\\').Length;
        return length + (backslashes & 1);
    }

    /// <summary>What comes before the pieces of a json value; whether its line breaks are to be spelled.</summary>
    public static bool BeginEmbedded(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> field)
    {
        var spelled = HasLineBreaks(field) || field.StartsWith(MarkInCopy);
        if (spelled)
            output.Write(JsonBreaks.Mark);
        return spelled;
    }

    /// <summary>Writes a piece of a value as long as only strings and json can be; the caller writes the quotes of a string.</summary>
    /// <param name="output">Takes it.</param>
    /// <param name="piece">Of the field.</param>
    /// <param name="kind">Of the column.</param>
    /// <param name="spelled">Of a json value: what <see cref="BeginEmbedded"/> said.</param>
    public static void WritePiece(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> piece, ColumnKind kind, bool spelled)
    {
        if (kind == ColumnKind.Json)
            WriteEmbedded(output, piece, spelled);
        else
            WriteStringContent(output, piece);
    }

    // NaN and Infinity are the only numbers that do not start with a digit after their sign.
    private static bool IsFinite(ReadOnlySpan<byte> field) =>
        field is [>= (byte)'0' and <= (byte)'9', ..] or [(byte)'-', >= (byte)'0' and <= (byte)'9', ..];

    private static void WriteTimestamp(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> field)
    {
        output.Write("\""u8);
        var space = field.IndexOf((byte)' ');
        if (space < 0 || field.EndsWith("BC"u8))
        {
            output.Write(field);
        }
        else
        {
            output.Write(field[..space]);
            output.Write("T"u8);
            var rest = field[(space + 1)..];
            var utc = rest.EndsWith("+00"u8);
            output.Write(utc ? rest[..^3] : rest);
            if (utc)
                output.Write("Z"u8);
        }
        output.Write("\""u8);
    }

    private static void WriteString(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> field)
    {
        output.Write("\""u8);
        WriteStringContent(output, field);
        output.Write("\""u8);
    }

    private static void WriteStringContent(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> field)
    {
        while (field.IndexOfAny(Special) is var at and >= 0)
        {
            output.Write(field[..at]);
            var special = field[at];
            if (special == '"')
            {
                output.Write("\\\""u8);
            }
            else if (special != '\\')
            {
                WriteControl(output, special);
            }
            else
            {
                var value = Unescaped(field, ++at);
                if (value == '\v')
                    WriteControl(output, value);
                else
                    output.Write(field.Slice(at - 1, 2));
            }
            field = field[(at + 1)..];
        }
        output.Write(field);
    }

    private static ReadOnlySpan<byte> MarkInCopy => @"\t \t  \t"u8;

    // A backslash of the value is two in COPY text, whatever follows.
    private static bool HasLineBreaks(ReadOnlySpan<byte> field)
    {
        while (field.IndexOf((byte)'\\') is var at and >= 0 && at + 1 < field.Length)
        {
            if (field[at + 1] is (byte)'n' or (byte)'r')
                return true;
            field = field[(at + 2)..];
        }
        return false;
    }

    private static void WriteEmbedded(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> field, bool spelled)
    {
        while (field.IndexOf((byte)'\\') is var at and >= 0)
        {
            output.Write(field[..at]);
            var value = Unescaped(field, ++at);
            output.Write(spelled && JsonBreaks.Spelled(value) is { IsEmpty: false } blanks ? blanks : [value]);
            field = field[(at + 1)..];
        }
        output.Write(field);
    }

    private static void WriteControl(ArrayBufferWriter<byte> output, byte control)
    {
        output.Write("\\u00"u8);
        output.Write([Hex(control >> 4), Hex(control & 15)]);
    }

    private static byte Hex(int digit) => (byte)(digit < 10 ? '0' + digit : 'a' + digit - 10);

    private static byte Unescaped(ReadOnlySpan<byte> field, int at) =>
        (at < field.Length ? field[at] : (byte)0) switch
        {
            (byte)'b' => (byte)'\b',
            (byte)'f' => (byte)'\f',
            (byte)'n' => (byte)'\n',
            (byte)'r' => (byte)'\r',
            (byte)'t' => (byte)'\t',
            (byte)'v' => (byte)'\v',
            (byte)'\\' => (byte)'\\',
            _ => throw new InvalidDataException("COPY data hold an escape that COPY TO does not write."),
        };
}

using System.Buffers;

namespace Archiver.Core.Documents;

/// <summary>
/// Line breaks between the tokens of a json value, in a document that is one line (docs/format.md). A value that has some begins with
/// <see cref="Mark"/>, and its blanks are spelled in tabs and spaces, so that it is the same JSON to every reader.
/// </summary>
internal static class JsonBreaks
{
    /// <summary>What no person writes at the beginning of a value; one that begins with it all the same is spelled, too.</summary>
    public static ReadOnlySpan<byte> Mark => "\t \t  \t"u8;

    /// <summary>How a byte of a value with the mark is spelled: JSON has raw tabs and line breaks between its tokens only.</summary>
    public static ReadOnlySpan<byte> Spelled(byte value) =>
        value switch
        {
            (byte)'\n' => "\t "u8,
            (byte)'\r' => "\t\t "u8,
            (byte)'\t' => "\t\t\t"u8,
            _ => default,
        };

    /// <summary>The value as it was in the database.</summary>
    /// <param name="value">The raw JSON in the document, with the blanks around it.</param>
    /// <exception cref="InvalidDataException">A spelling that no export writes.</exception>
    public static ReadOnlySpan<byte> Restore(ReadOnlySpan<byte> value)
    {
        if (!value.StartsWith(Mark))
            return value;
        var output = new ArrayBufferWriter<byte>(value.Length);
        for (value = value[Mark.Length..]; value.IndexOf((byte)'\t') is var at and >= 0; )
        {
            output.Write(value[..at]);
            value = value[at..];
            var restored =
                value.StartsWith("\t "u8) ? (byte)'\n'
                : value.StartsWith("\t\t "u8) ? (byte)'\r'
                : value.StartsWith("\t\t\t"u8) ? (byte)'\t'
                : throw new InvalidDataException("The document has a json value whose line breaks no export writes so.");
            output.Write([restored]);
            value = value[Spelled(restored).Length..];
        }
        output.Write(value);
        return output.WrittenSpan;
    }
}

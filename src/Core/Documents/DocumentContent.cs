using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Archiver.Core.Documents;

/// <summary>
/// What two documents of a session must have in common when their rows are the same: everything but the head, which says when and by which
/// run a document was made.
/// </summary>
/// <param name="Tables">The tables with the types of their columns, as the document has them.</param>
/// <param name="Session">The session's own row, byte for byte.</param>
/// <param name="RestSha256">SHA-256 of the rows of all other tables, in their order.</param>
internal sealed record DocumentContent(string Tables, ReadOnlyMemory<byte> Session, byte[] RestSha256)
{
    // json values may nest 20,000 deep in PostgreSQL, a document a little deeper.
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 1_000_000 };

    /// <summary>Whether the rows are the same to the byte, leaving out these columns of the session row.</summary>
    public bool SameRows(DocumentContent other, IReadOnlyCollection<string> marked) =>
        RestSha256.AsSpan().SequenceEqual(other.RestSha256) && Tables == other.Tables && SameSession(other, marked);

    /// <summary>
    /// These columns of the session row, with their values as they stand in the document, as JSON. A document has no key where the row has
    /// NULL; here it is <c>null</c>, for whoever puts these values over others.
    /// </summary>
    public string Columns(IReadOnlyCollection<string> names)
    {
        using var row = JsonDocument.Parse(Session, Deep);
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json, new() { SkipValidation = true }))
        {
            writer.WriteStartObject();
            foreach (var name in names)
            {
                writer.WritePropertyName(name);
                if (row.RootElement.TryGetProperty(name, out var value))
                    writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
                else
                    writer.WriteNullValue();
            }
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(json.WrittenSpan);
    }

    private bool SameSession(DocumentContent other, IReadOnlyCollection<string> marked)
    {
        using var mine = JsonDocument.Parse(Session, Deep);
        using var theirs = JsonDocument.Parse(other.Session, Deep);
        var left = theirs
            .RootElement.EnumerateObject()
            .Where(c => !marked.Contains(c.Name))
            .ToDictionary(c => c.Name, c => c.Value, StringComparer.Ordinal);
        foreach (var column in mine.RootElement.EnumerateObject().Where(c => !marked.Contains(c.Name)))
        {
            if (
                !left.Remove(column.Name, out var value)
                || !JsonMarshal.GetRawUtf8Value(value).SequenceEqual(JsonMarshal.GetRawUtf8Value(column.Value))
            )
                return false;
        }
        return left.Count == 0;
    }
}

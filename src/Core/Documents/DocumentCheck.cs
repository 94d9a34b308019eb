using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Unicode;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;

namespace Archiver.Core.Documents;

/// <summary>What a document read back turned out to hold.</summary>
/// <param name="Format">Value of <c>format</c>, null when there is none.</param>
/// <param name="Key">The session row's key column as text, null when it has none.</param>
/// <param name="Rows">Rows by table name, the session's own included.</param>
/// <param name="Length">Bytes of the JSON.</param>
/// <param name="Sha256">SHA-256 of the JSON.</param>
/// <param name="Content">What it has in common with a later document of the same rows; null unless that was asked for.</param>
internal sealed record CheckedDocument(
    string? Format, string? Key, IReadOnlyDictionary<string, long> Rows, long Length, byte[] Sha256, DocumentContent? Content);

/// <summary>Parses a document as a stream and counts its rows; memory does not grow with the document, only with its longest value.</summary>
/// <param name="keyColumn">The session key's column.</param>
/// <param name="parts">Takes the document apart for a comparison; null when nothing is compared.</param>
internal sealed class DocumentCheck(string keyColumn, ContentParts? parts = null)
{
    // json values may nest 20,000 deep in PostgreSQL, a document a little deeper.
    private static readonly JsonReaderOptions Deep = new() { MaxDepth = 1_000_000 };

    private readonly Dictionary<string, long> _rows = [];
    private string? _format, _key, _top, _table;
    private bool _inSession, _nextIsKey;

    /// <exception cref="JsonException">The bytes are not one JSON document.</exception>
    /// <exception cref="InvalidDataException">The stream around them is damaged.</exception>
    public async Task<CheckedDocument> ReadAsync(Stream json, CancellationToken cancellationToken)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = LargeBuffer.Rent(64 * 1024);
        try
        {
            var state = new JsonReaderState(Deep);
            var (filled, total) = (0, 0L);
            while (true)
            {
                // Filled to its end before it is parsed again: a value longer than the buffer is then scanned a few times, not once a read.
                var read = await json.ReadAtLeastAsync(buffer.AsMemory(filled), buffer.Length - filled, throwOnEndOfStream: false, cancellationToken);
                var final = read < buffer.Length - filled;
                sha256.AppendData(buffer, filled, read);
                total += read;
                filled += read;
                var consumed = Parse(buffer.AsSpan(0, filled), final, ref state);
                if (final)
                    return new(_format, _key, _rows, total, sha256.GetHashAndReset(), parts?.Complete());
                buffer.AsSpan(consumed, filled - consumed).CopyTo(buffer);
                filled -= consumed;
                if (filled == buffer.Length)
                    buffer = Grow(buffer);
            }
        }
        finally
        {
            LargeBuffer.Return(buffer);
        }
    }

    private static byte[] Grow(byte[] buffer)
    {
        var larger = LargeBuffer.Rent(LargeBuffer.Larger(buffer.Length));
        buffer.CopyTo(larger, 0);
        LargeBuffer.Return(buffer);
        return larger;
    }

    private int Parse(ReadOnlySpan<byte> bytes, bool final, ref JsonReaderState state)
    {
        var reader = new Utf8JsonReader(bytes, final, state);
        var attributed = 0;
        while (reader.Read())
        {
            Take(ref reader);
            if (parts is not null && NextPart(ref reader) is { } part)
            {
                // A row's own end belongs to it, a name to what it names.
                var boundary = (int)(reader.TokenType == JsonTokenType.EndObject ? reader.BytesConsumed : reader.TokenStartIndex);
                parts.Add(bytes[attributed..boundary]);
                (attributed, parts.Current) = (boundary, part);
            }
        }
        state = reader.CurrentState;
        // The reader skips over a text without decoding it. It stops between two tokens, and so never within a character.
        if (!Utf8.IsValid(final ? bytes : bytes[..(int)reader.BytesConsumed]))
            throw new InvalidDataException("The document is not UTF-8.");
        parts?.Add(bytes[attributed..(final ? bytes.Length : (int)reader.BytesConsumed)]);
        return (int)reader.BytesConsumed;
    }

    private ContentParts.Part? NextPart(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.StartObject when reader.CurrentDepth == 1 && _top == "tables" => ContentParts.Part.Tables,
        JsonTokenType.StartObject when reader.CurrentDepth == 1 && _top == SourceMap.SessionName => ContentParts.Part.Session,
        JsonTokenType.EndObject when reader.CurrentDepth == 1 && _top == "tables" => ContentParts.Part.Head,
        JsonTokenType.EndObject when reader.CurrentDepth == 1 && _top == SourceMap.SessionName => ContentParts.Part.Rest,
        _ => null,
    };

    private void Take(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName when reader.CurrentDepth == 1:
                _top = reader.GetString();
                _inSession = false;
                _table = _top == SourceMap.MessagesName ? _top : null;
                break;
            case JsonTokenType.PropertyName when reader.CurrentDepth == 2 && _top == "related":
                _table = reader.GetString();
                break;
            case JsonTokenType.PropertyName when reader.CurrentDepth == 2 && _inSession:
                _nextIsKey = reader.ValueTextEquals(keyColumn);
                break;
            case JsonTokenType.String when reader.CurrentDepth == 1 && _top == "format":
                _format = reader.GetString();
                break;
            case JsonTokenType.String or JsonTokenType.Number when _nextIsKey && reader.CurrentDepth == 2:
                _key = reader.TokenType == JsonTokenType.String ? reader.GetString() : System.Text.Encoding.ASCII.GetString(reader.ValueSpan);
                _nextIsKey = false;
                break;
            case JsonTokenType.StartObject when reader.CurrentDepth == 1 && _top == SourceMap.SessionName:
                _inSession = true;
                Count(SourceMap.SessionName);
                break;
            case JsonTokenType.StartObject when _table is not null && reader.CurrentDepth == (_top == "related" ? 3 : 2):
                Count(_table);
                break;
            default:
                break;
        }
    }

    private void Count(string table) => _rows[table] = _rows.GetValueOrDefault(table) + 1;
}

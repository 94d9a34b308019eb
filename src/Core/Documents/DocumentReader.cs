using System.Text;
using System.Text.Json;
using Archiver.Core.Settings;

namespace Archiver.Core.Documents;

/// <summary>
/// Reads a document of format <c>archiver.session/1</c> row by row (docs/format.md). It knows the format and nothing of any database, and
/// refuses what it does not know: a member that is skipped today may be a message that is lost.
/// </summary>
internal sealed class DocumentReader : IDisposable
{
    /// <summary>A whole session.</summary>
    public const string Format = "archiver.session/1";

    /// <summary>
    /// Old messages of a session that lived on, with its row as it was; otherwise the same. An archiver that knows no parts must not take
    /// one for the session.
    /// </summary>
    public const string PartFormat = "archiver.part/1";

    private readonly JsonPieces _json;
    private Section _section = Section.Session;
    private readonly HashSet<string> _opened = new(StringComparer.Ordinal);
    private bool _first,
        _related;

    private DocumentReader(JsonPieces json, DocumentHeader header) => (_json, Header) = (json, header);

    private enum Section
    {
        Session,
        Top,
        Related,
        Rows,
        End,
    }

    public DocumentHeader Header { get; }

    /// <summary>Name of the current row's table.</summary>
    public string Table { get; private set; } = SourceMap.SessionName;

    /// <summary>The current row: one JSON object, byte for byte; valid until the next <see cref="ReadAsync"/>.</summary>
    public ReadOnlySpan<byte> Row => _json.Value;

    /// <summary>Reads everything before the rows.</summary>
    /// <exception cref="InvalidDataException">Not a document of this format, or a damaged one; the message says which.</exception>
    /// <exception cref="JsonException">Not JSON.</exception>
    public static Task<DocumentReader> OpenAsync(Stream stream, CancellationToken cancellationToken) =>
        OpenAsync(stream, Array.MaxLength, cancellationToken);

    /// <summary>The same for a document that anybody may have written.</summary>
    /// <param name="stream">The document.</param>
    /// <param name="most">Bytes that a row may have; a longer one counts as damage.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidDataException">Not a document of this format, or a damaged one; the message says which.</exception>
    /// <exception cref="JsonException">Not JSON.</exception>
    public static Task<DocumentReader> OpenAsync(Stream stream, int most, CancellationToken cancellationToken) =>
        OpenAsync(new JsonPieces(stream, most), cancellationToken);

    /// <summary>The same for a document in memory, which must stay as it is until this is disposed.</summary>
    /// <exception cref="InvalidDataException">Not a document of this format, or a damaged one; the message says which.</exception>
    /// <exception cref="JsonException">Not JSON.</exception>
    public static Task<DocumentReader> OpenAsync(ArraySegment<byte> json, CancellationToken cancellationToken) =>
        OpenAsync(new JsonPieces(json), cancellationToken);

    private static async Task<DocumentReader> OpenAsync(JsonPieces json, CancellationToken cancellationToken)
    {
        try
        {
            return new(json, await DocumentHeaderReader.ReadAsync(json, cancellationToken));
        }
        catch
        {
            json.Dispose();
            throw;
        }
    }

    /// <summary>Goes to the next row: the session's own first, then its children's; false at the end of a complete document.</summary>
    /// <exception cref="InvalidDataException">The document is damaged.</exception>
    /// <exception cref="JsonException">Not JSON.</exception>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            switch (_section)
            {
                case Section.Session:
                    await ReadRowAsync(cancellationToken);
                    _section = Section.Top;
                    return true;
                case Section.Rows when await _json.TryTakeAsync(']', cancellationToken):
                    _section = _related ? Section.Related : Section.Top;
                    _first = false;
                    break;
                case Section.Rows:
                    await SeparateAsync(cancellationToken);
                    await ReadRowAsync(cancellationToken);
                    return true;
                case Section.Related when await _json.TryTakeAsync('}', cancellationToken):
                    (_section, _related) = (Section.Top, false);
                    break;
                case Section.Related:
                    await SeparateAsync(cancellationToken);
                    await OpenTableAsync(await ReadNameAsync(_json, cancellationToken), cancellationToken);
                    break;
                case Section.Top when await _json.TryTakeAsync('}', cancellationToken):
                    _section = Section.End;
                    break;
                case Section.Top:
                    await _json.ExpectAsync(',', cancellationToken);
                    await OpenMemberAsync(cancellationToken);
                    break;
                default:
                    return await _json.PeekAsync(cancellationToken) == 0
                        ? false
                        : throw new InvalidDataException("Something follows the end of the document.");
            }
        }
    }

    public void Dispose() => _json.Dispose();

    /// <summary>Reads a member's name and the colon after it.</summary>
    internal static async ValueTask<string> ReadNameAsync(JsonPieces json, CancellationToken cancellationToken)
    {
        await json.ReadValueAsync(cancellationToken);
        var name = ReadString(json.Value);
        await json.ExpectAsync(':', cancellationToken);
        return name;
    }

    /// <summary>A JSON string as text.</summary>
    internal static string ReadString(ReadOnlySpan<byte> value)
    {
        var reader = JsonPieces.Over(value);
        return reader.Read() && reader.TokenType == JsonTokenType.String
            ? reader.GetString()!
            : throw new InvalidDataException("The document is not as its format says: a text is missing.");
    }

    private async ValueTask OpenMemberAsync(CancellationToken cancellationToken)
    {
        var name = await ReadNameAsync(_json, cancellationToken);
        if (name == SourceMap.MessagesName)
        {
            await OpenTableAsync(name, cancellationToken);
        }
        else if (name == "related")
        {
            await _json.ExpectAsync('{', cancellationToken);
            (_section, _related, _first) = (Section.Related, true, true);
        }
        else
        {
            throw new InvalidDataException($"The document has a member '{Shorten(name)}', which {Header.Format} does not know.");
        }
    }

    private async ValueTask OpenTableAsync(string name, CancellationToken cancellationToken)
    {
        if (Header.Tables.All(t => t.Name != name))
            throw new InvalidDataException($"The document has rows of a table '{Shorten(name)}' that it does not describe.");
        if (!_opened.Add(name))
            throw new InvalidDataException($"The document has the table '{name}' twice.");
        await _json.ExpectAsync('[', cancellationToken);
        (_section, _first, Table) = (Section.Rows, true, name);
    }

    private async ValueTask SeparateAsync(CancellationToken cancellationToken)
    {
        if (!_first)
            await _json.ExpectAsync(',', cancellationToken);
        _first = false;
    }

    private async ValueTask ReadRowAsync(CancellationToken cancellationToken)
    {
        await _json.ReadValueAsync(cancellationToken);
        if (_json.Value[0] != '{')
            throw new InvalidDataException($"The document has a row of {Table} that is not an object.");
    }

    internal static string Shorten(string name) =>
        name.Length <= 63 ? name : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(name).AsSpan(0, 60)) + "...";
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using Archiver.Core.Settings;

namespace Archiver.Core.Documents;

/// <summary>
/// Reads the members before the rows. <c>format</c> comes first, so that a document of another version is refused for that and nothing
/// else.
/// </summary>
internal static class DocumentHeaderReader
{
    /// <summary>
    /// Tables and source of the document read last: mostly the next one has the same, and reading them is the larger part of reading a
    /// header.
    /// </summary>
    private static Remembered<DescribedTables>? _tables;

    private static Remembered<DocumentSource>? _source;

    /// <summary>Leaves the reader before the session's row.</summary>
    public static async Task<DocumentHeader> ReadAsync(JsonPieces json, CancellationToken cancellationToken)
    {
        if (!await json.TryTakeAsync('{', cancellationToken))
            throw new InvalidDataException("It is not a document of the archiver.");
        var format = await ReadFormatAsync(json, cancellationToken);
        Dictionary<string, byte[]> members = [];
        while (true)
        {
            await json.ExpectAsync(',', cancellationToken);
            var name = await DocumentReader.ReadNameAsync(json, cancellationToken);
            if (name == SourceMap.SessionName)
                return Build(members, format);
            if (name is not ("archived_at" or "source" or "generation" or "tables"))
                throw new InvalidDataException(
                    $"The document has a member '{DocumentReader.Shorten(name)}', which {format} does not know."
                );
            await json.ReadValueAsync(cancellationToken);
            members[name] = json.Value.ToArray();
        }
    }

    private static async Task<string> ReadFormatAsync(JsonPieces json, CancellationToken cancellationToken)
    {
        if (await json.PeekAsync(cancellationToken) != '"' || await DocumentReader.ReadNameAsync(json, cancellationToken) != "format")
        {
            throw new InvalidDataException("It is not a document of the archiver: it does not begin with its format.");
        }
        await json.ReadValueAsync(cancellationToken);
        var format = DocumentReader.ReadString(json.Value);
        return format is DocumentReader.Format or DocumentReader.PartFormat
            ? format
            : throw new InvalidDataException(
                $"Its format is '{DocumentReader.Shorten(format)}'; this program reads "
                    + $"{DocumentReader.Format} and {DocumentReader.PartFormat}. A newer archiver may read it."
            );
    }

    private static DocumentHeader Build(Dictionary<string, byte[]> members, string format)
    {
        using var archivedAt = Parse(members, "archived_at");
        using var generation = Parse(members, "generation");
        var described = Remembered<DescribedTables>.Read(ref _tables, members, "tables", Tables);
        return new(
            archivedAt.RootElement.GetString() ?? "",
            Remembered<DocumentSource>.Read(ref _source, members, "source", Source),
            int.TryParse(generation.RootElement.GetRawText(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
                ? number
                : throw new InvalidDataException("The document's generation is not a number above zero."),
            described.Tables,
            format,
            described.Json
        );
    }

    private static DocumentSource Source(Dictionary<string, byte[]> members)
    {
        using var source = Parse(members, "source");
        return new(
            Text(source.RootElement, "name"),
            Text(source.RootElement, "database"),
            Text(source.RootElement, "system_id"),
            Text(source.RootElement, "server"),
            Text(source.RootElement, "policy"),
            Text(source.RootElement, "run")
        );
    }

    private static DescribedTables Tables(Dictionary<string, byte[]> members)
    {
        using var tables = Parse(members, "tables");
        List<DocumentTable> read =
        [
            .. tables
                .RootElement.EnumerateObject()
                .Select(t => new DocumentTable(
                    t.Name,
                    Text(t.Value, "table"),
                    [.. Member(t.Value, "columns").EnumerateObject().Select(c => new DocumentColumn(c.Name, c.Value.GetString() ?? ""))]
                )),
        ];
        if (read.Count == 0 || read[0].Name != SourceMap.SessionName)
            throw new InvalidDataException("The document does not describe its session table first.");
        return new(Encoding.UTF8.GetString(members["tables"]), read);
    }

    private static JsonDocument Parse(Dictionary<string, byte[]> members, string name) =>
        members.TryGetValue(name, out var json)
            ? JsonDocument.Parse(json)
            : throw new InvalidDataException($"The document has no '{name}' before its rows.");

    private static JsonElement Member(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var value)
            ? value
            : throw new InvalidDataException($"The document has no '{name}' where its format wants one.");

    private static string Text(JsonElement parent, string name) =>
        Member(parent, name) is { ValueKind: JsonValueKind.String } value
            ? value.GetString()!
            : throw new InvalidDataException($"The document's '{name}' is not a text.");

    private sealed record DescribedTables(string Json, IReadOnlyList<DocumentTable> Tables);

    private sealed record Remembered<T>(byte[] Json, T Value)
    {
        public static T Read(
            ref Remembered<T>? last,
            Dictionary<string, byte[]> members,
            string name,
            Func<Dictionary<string, byte[]>, T> read
        )
        {
            if (last is { } known && members.TryGetValue(name, out var json) && known.Json.AsSpan().SequenceEqual(json))
                return known.Value;
            var value = read(members);
            last = new(members[name], value);
            return value;
        }
    }
}

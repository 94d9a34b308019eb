using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Archiver.Core.Export;

/// <summary>
/// Which row versions of one table belong to a session: their number and the sum of their 64-bit hashes (docs/protocol.md rule 2).
/// The server computes the hashes in export and delete alike; the client only adds.
/// </summary>
internal readonly record struct Fingerprint(long Rows, Int128 Hash)
{
    /// <summary>With one more row.</summary>
    public Fingerprint Add(long rowHash) => new(Rows + 1, Hash + rowHash);

    /// <summary>From the server's count and its numeric sum as text.</summary>
    public static Fingerprint Parse(long rows, string sum) => new(rows, Int128.Parse(sum, CultureInfo.InvariantCulture));

    /// <summary>From <see cref="ToJson"/>.</summary>
    public static IReadOnlyDictionary<string, Fingerprint> FromJson(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document
            .RootElement.EnumerateObject()
            .ToDictionary(
                t => t.Name,
                t => Parse(t.Value.GetProperty("rows").GetInt64(), t.Value.GetProperty("hash").GetString()!),
                StringComparer.Ordinal
            );
    }

    /// <summary>For the ledger: <c>{"messages":{"rows":12,"hash":"-17"}}</c>.</summary>
    public static string ToJson(IEnumerable<KeyValuePair<string, Fingerprint>> tables)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (table, fingerprint) in tables)
            {
                json.WriteStartObject(table);
                json.WriteNumber("rows", fingerprint.Rows);
                json.WriteString("hash", fingerprint.Hash.ToString(CultureInfo.InvariantCulture));
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}

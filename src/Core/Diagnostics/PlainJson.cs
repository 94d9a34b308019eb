using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Archiver.Core.Diagnostics;

/// <summary>
/// JSON of plain values, without reflection: natively compiled, the program has no code for types that it meets only at run time.
/// </summary>
[JsonSerializable(typeof(IReadOnlyDictionary<string, long>), TypeInfoPropertyName = "Counts")]
[JsonSerializable(typeof(SortedDictionary<string, long>), TypeInfoPropertyName = "SortedCounts")]
[JsonSerializable(typeof(IReadOnlyDictionary<string, double>), TypeInfoPropertyName = "Seconds")]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>), TypeInfoPropertyName = "Pairs")]
internal sealed partial class PlainJson : JsonSerializerContext
{
    /// <summary>A list of texts; a null stays one.</summary>
    public static JsonArray Texts(IEnumerable<string?> texts) => new([.. texts.Select(t => (JsonNode?)t)]);
}

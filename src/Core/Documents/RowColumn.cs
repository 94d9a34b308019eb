using System.Text;
using System.Text.Json;

namespace Archiver.Core.Documents;

/// <summary>Looks a column up in a row of a document without a copy of the row, which may be as long as memory allows.</summary>
internal static class RowColumn
{
    /// <summary>Its text, a string without its quotes; null where it is NULL, or of a kind that is not wanted.</summary>
    /// <param name="row">One JSON object.</param>
    /// <param name="column">Exact name.</param>
    /// <param name="wanted">Kinds of values; all kinds if none is given.</param>
    /// <exception cref="JsonException">Not JSON.</exception>
    public static string? Find(ReadOnlySpan<byte> row, string column, params ReadOnlySpan<JsonTokenType> wanted)
    {
        var json = JsonPieces.Over(row);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var found = json.ValueTextEquals(column);
            json.Read();
            var (kind, start) = (json.TokenType, (int)json.TokenStartIndex);
            if (found && kind == JsonTokenType.String)
                return wanted.IsEmpty || wanted.Contains(kind) ? json.GetString() : null;
            json.Skip();
            if (found)
                return wanted.IsEmpty || wanted.Contains(kind) ? Encoding.UTF8.GetString(row[start..(int)json.BytesConsumed]) : null;
        }
        return null;
    }
}

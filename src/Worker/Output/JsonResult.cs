using System.Text.Encodings.Web;
using System.Text.Json;
using Archiver.Core.Query;

namespace Archiver.Worker.Output;

/// <summary>
/// An answer as JSON Lines. As in a document, a key that is absent is NULL, <c>null</c> is a JSON null, and numbers keep their digits.
/// </summary>
internal sealed class JsonResult(Stream output) : IResultWriter
{
    private readonly PrintableJsonStream _printable = new(output);
    private readonly MemoryStream _line = new();
    private IReadOnlyList<(JsonEncodedText Name, ResultColumn Column)> _columns = [];
    private Utf8JsonWriter? _json;

    public void Begin(IReadOnlyList<ResultColumn> columns)
    {
        HashSet<string> names = [];
        _columns = [.. columns.Select(c => (JsonEncodedText.Encode(Free(names, c.Name), JavaScriptEncoder.UnsafeRelaxedJsonEscaping), c))];
        _json = new(_line, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
    }

    public void Write(string?[] row)
    {
        _line.SetLength(0);
        _json!.Reset();
        _json.WriteStartObject();
        for (var i = 0; i < row.Length; i++)
        {
            if (row[i] is not { } value)
                continue;
            var (name, column) = _columns[i];
            _json.WritePropertyName(name);
            if (column.IsBoolean || (column.IsNumber && char.IsAsciiDigit(value[^1])))
                _json.WriteRawValue(value, skipInputValidation: true);
            else if (column.IsJson)
                // Between tokens only: within a text a line break is an escape.
                _json.WriteRawValue(value.Replace('\n', ' ').Replace('\r', ' '), skipInputValidation: true);
            else
                _json.WriteStringValue(
                    column.IsTimestamp ? Iso(value)
                    : column.IsNumber ? Special(value)
                    : value
                );
        }
        _json.WriteEndObject();
        _json.Flush();
        _line.WriteByte((byte)'\n');
        _printable.Write(_line.GetBuffer(), 0, (int)_line.Length);
    }

    public void End()
    {
        // Each row is passed on at once.
    }

    public void Dispose()
    {
        _json?.Dispose();
        _line.Dispose();
        _printable.Dispose();
    }

    private static string Special(string number) =>
        number switch
        {
            "nan" => "NaN",
            "inf" => "Infinity",
            "-inf" => "-Infinity",
            _ => number,
        };

    // As a document writes it.
    private static string Iso(string time) =>
        time.Length > 10 && time[10] == ' '
            ? $"{time[..10]}T{(time.EndsWith("+00", StringComparison.Ordinal) ? $"{time[11..^3]}Z" : time[11..])}"
            : time;

    private static string Free(HashSet<string> taken, string name)
    {
        var free = name;
        for (var n = 1; !taken.Add(free); n++)
            free = $"{name}_{n}";
        return free;
    }
}

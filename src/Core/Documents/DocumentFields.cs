using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Archiver.Core.Ledger;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Documents;

/// <summary>
/// The parts of a document that all sessions of an export share, as ready bytes (docs/format.md, <c>archiver.session/1</c>).
/// </summary>
internal sealed class DocumentFields
{
    // Names of tables and columns stay readable; they are data, not HTML.
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly byte[] _head;
    private readonly byte[] _tables;

    public DocumentFields(RunContext run, SourceShape shape, string exportedAt, bool part = false)
    {
        _head = Object(json =>
        {
            json.WriteString("format", part ? DocumentReader.PartFormat : DocumentReader.Format);
            json.WriteString("archived_at", exportedAt);
            json.WriteStartObject("source");
            json.WriteString("name", run.Source.Name);
            json.WriteString("database", run.Database.Database);
            json.WriteString("system_id", run.Database.SystemId);
            json.WriteString("server", run.Database.ServerVersion);
            json.WriteString("policy", run.Policy.Name);
            json.WriteString("run", run.Id.ToString());
            json.WriteEndObject();
        });
        _tables = Object(json =>
        {
            json.WriteStartObject("tables");
            foreach (var table in shape.Tables)
            {
                json.WriteStartObject(table.Name);
                json.WriteString("table", table.Table.ToString());
                json.WriteStartObject("columns");
                foreach (var column in table.Columns)
                    json.WriteString(column.Name, column.Type);
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        });
    }

    /// <summary>Everything before the session's own row.</summary>
    public void WriteHead(ArrayBufferWriter<byte> output, int generation)
    {
        output.Write("{"u8);
        output.Write(_head);
        output.Write(",\"generation\":"u8);
        output.Write(Encoding.ASCII.GetBytes(generation.ToString(CultureInfo.InvariantCulture)));
        output.Write(","u8);
        output.Write(_tables);
        output.Write(",\"session\":"u8);
    }

    /// <summary>What opens the rows of a child: <c>messages</c> stands at the top, every other child under <c>related</c>.</summary>
    public static byte[] Opening(string child, bool firstRelated)
    {
        var name = Encoding.UTF8.GetString(Quoted(child));
        return Encoding.UTF8.GetBytes(
            child == SourceMap.MessagesName ? $",{name}:["
            : firstRelated ? $",\"related\":{{{name}:["
            : $",{name}:["
        );
    }

    /// <summary>A name as a JSON string.</summary>
    public static byte[] Quoted(string name)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
            json.WriteStringValue(name);
        return buffer.ToArray();
    }

    /// <summary>The members that <paramref name="write"/> writes, without the braces around them.</summary>
    private static byte[] Object(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return buffer.ToArray()[1..^1];
    }
}

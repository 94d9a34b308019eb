using System.Text;

namespace Archiver.Worker.Tests.Http;

/// <summary>As much of an OTLP span as a test looks at.</summary>
/// <param name="Text">All its bytes, as text.</param>
internal sealed record OtlpSpan(string Trace, string Id, string Parent, string Name, int Events, bool Failed, string Text)
{
    /// <summary>All spans of an ExportTraceServiceRequest: resource_spans, scope_spans and spans are fields 1, 2 and 2.</summary>
    public static IEnumerable<OtlpSpan> Of(byte[] request) =>
        Fields(request)
            .Where(f => f.Number == 1)
            .SelectMany(r => Fields(r.Bytes))
            .Where(f => f.Number == 2)
            .SelectMany(s => Fields(s.Bytes))
            .Where(f => f.Number == 2)
            .Select(s => Read(s.Bytes));

    private static OtlpSpan Read(byte[] span)
    {
        var fields = Fields(span).ToLookup(f => f.Number, f => f.Bytes);
        var status = fields[15].SelectMany(Fields).Any(f => f is { Number: 3, Value: 2 });
        return new(
            Hex(fields[1]),
            Hex(fields[2]),
            Hex(fields[4]),
            Encoding.UTF8.GetString(fields[5].Single()),
            fields[11].Count(),
            status,
            Encoding.UTF8.GetString(span)
        );
    }

    private static string Hex(IEnumerable<byte[]> field) => Convert.ToHexString(field.FirstOrDefault() ?? []);

    /// <summary>The fields of a protobuf message: a number's in Value, all others' in Bytes.</summary>
    private static List<(int Number, ulong Value, byte[] Bytes)> Fields(byte[] message)
    {
        List<(int, ulong, byte[])> fields = [];
        for (var at = 0; at < message.Length; )
        {
            var key = Varint(message, ref at);
            var (number, type) = ((int)(key >> 3), key & 7);
            var value = type == 0 ? Varint(message, ref at) : 0;
            var length = type switch
            {
                0 => 0,
                1 => 8,
                5 => 4,
                2 => (int)Varint(message, ref at),
                _ => throw new InvalidDataException($"Wire type {type}."),
            };
            fields.Add((number, value, message[at..(at + length)]));
            at += length;
        }
        return fields;
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = message[at++];
            value |= (ulong)(next & 127) << shift;
            if (next < 128)
                return value;
        }
    }
}

using System.Buffers;
using System.Text;
using Archiver.Core.Import;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Tests.Restore;

/// <summary>A restore holds a long value once: every second one of it would count against what a container may have.</summary>
public sealed class RestoreAllocationTests
{
    private const int Length = 32 << 20;

    [Fact]
    public void Turns_a_long_value_into_COPY_text_without_a_second_one_of_it()
    {
        var column = new ColumnShape("content", "text", "text", ColumnKind.Text, Generated: false);
        var table = new PlannedTable(
            "messages",
            new TableShape("messages", new TableName("public", "messages"), 1, "", [column]),
            [new("content", "text", ColumnKind.Text, column, IsDropped: false, ColumnConversion.None)]
        );
        var row = Encoding.UTF8.GetBytes($"{{\"content\":\"{new string('x', Length)}\"}}");
        var writer = new RowCopyWriter(table);
        using var copied = new CountingStream();
        using var sink = new RowSink(copied);

        var before = GC.GetAllocatedBytesForCurrentThread();
        writer.Write(row, sink);
        var digest = sink.End(default);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal((1L, Length + 1L), (digest.Rows, copied.Written));
        Assert.InRange(allocated, 0, Length / 8);
    }

    [Fact]
    public void Makes_the_same_digest_of_a_row_in_pieces_as_in_one()
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 50_000).Select(n => $"{n}\t")));
        using var whole = new RowSink(null);
        using var pieces = new RowSink(null);

        whole.Write(text);
        for (var at = 0; at < text.Length; at += 7)
            pieces.Write(text.AsSpan(at, Math.Min(7, text.Length - at)));

        var digest = whole.End(default);
        Assert.Equal(digest, pieces.End(default));
        Assert.NotEqual(digest, whole.End(default));
        // A row that fits is hashed in one go.
        whole.Write("short"u8);
        pieces.Write("short"u8);
        Assert.Equal(whole.End(digest), pieces.End(digest));
    }

    private sealed class CountingStream : MemoryStream
    {
        public long Written { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer) => Written += buffer.Length;
    }
}
